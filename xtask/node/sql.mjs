// Runs one statement of SQL: node sql.mjs <connection url> <statement>. Prints the rows, or how many were changed.
import pg from "pg";

const [connectionString, statement] = process.argv.slice(2);
const client = new pg.Client({ connectionString });
await client.connect();
try {
  const { command, rowCount, rows } = await client.query(statement);
  if (rows.length > 0) console.table(rows);
  console.log(`${command} ${rowCount ?? ""}`.trim());
} finally {
  await client.end();
}
