/** A guard of the program, and what takes it out. Some test must notice. */
export interface Mutant {
  /** What the guard keeps, as a sentence that is false without it. */
  readonly guard: string;
  readonly file: string;
  /** Stands in `file` exactly once. */
  readonly text: string;
  readonly by: string;
  /** Test files, one of which must fail. */
  readonly tests: readonly string[];
  /** Only tests with this in their name run: where a whole file would take long. */
  readonly only?: string;
}
