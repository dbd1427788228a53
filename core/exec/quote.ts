/** One word for a POSIX shell, whatever it contains (XCU 2.2.2: single quotes keep every character but themselves). */
export function quote(word: string): string {
  return /^[A-Za-z0-9_/:=.,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
