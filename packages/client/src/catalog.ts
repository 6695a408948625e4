// Whether the catalog is the one that code was generated from (`postern codegen`): it only tells. Decisions stay right
// without it, since a permission that the catalog lacks is denied.

/** How the catalog in force compares with the one that code was generated from. */
export interface CatalogState {
  /** The hash that was given. */
  readonly expected: string;
  /** That of the catalog in force; `undefined` until the gateway has told. */
  readonly current: string | undefined;
  /** Whether they are the same; `undefined` until the gateway has told. */
  readonly matches: boolean | undefined;
}

/** What whoever follows a gateway takes for that. */
export interface CatalogOptions {
  /** The `catalogHash` of the generated code. Default: nothing is compared. */
  readonly catalog?: string;
  /** Told of each other catalog that comes into force. Default: a warning on the console. */
  readonly onCatalogMismatch?: (state: CatalogState) => void;
}

/** Compares. */
export class CatalogWatch {
  readonly #options: CatalogOptions;
  #current: string | undefined;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** `undefined` where nothing is compared. */
  get state(): CatalogState | undefined {
    const { catalog: expected } = this.#options;
    const current = this.#current;
    if (expected === undefined) return undefined;
    return { expected, current, matches: current === undefined ? undefined : current === expected };
  }

  /** Takes what the gateway said of what came into force. True where that is compared, and is another one than before. */
  saw(current: unknown): boolean {
    if (typeof current !== "string" || current === this.#current) return false;
    this.#current = current;
    const { state } = this;
    try {
      if (state?.matches === false) (this.#options.onCatalogMismatch ?? warn)(state);
    } catch {
      // Whoever is told, and fails, changes nothing.
    }
    return state !== undefined;
  }
}

function warn({ expected, current }: CatalogState): void {
  console.warn(
    `postern: the catalog is ${current}, not ${expected}, as when code was generated: reload, or run \`postern codegen\``,
  );
}
