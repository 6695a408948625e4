// Prints one line per file: its raw, gzip and brotli sizes in bytes, separated by blanks.
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

for (const file of process.argv.slice(2)) {
  const bytes = readFileSync(file);
  console.log(bytes.length, gzipSync(bytes, { level: 9, memLevel: 9 }).length, brotliCompressSync(bytes).length);
}
