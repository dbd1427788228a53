export interface KernelUnits {
  readonly pageBytes: number;
  /** In which `/proc` counts processor time. */
  readonly ticksPerSecond: number;
}

const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;
const USUAL: KernelUnits = { pageBytes: 4096, ticksPerSecond: 100 };

/** getauxval(3), /proc/self/auxv of a 64-bit program: pairs of type and value. What is missing is as usual. */
export function parseAuxv(bytes: Buffer): KernelUnits {
  const values = new Map<bigint, number>();
  for (let at = 0; at + 16 <= bytes.length; at += 16)
    values.set(bytes.readBigUInt64LE(at), Number(bytes.readBigUInt64LE(at + 8)));
  return {
    pageBytes: values.get(AT_PAGESZ) ?? USUAL.pageBytes,
    ticksPerSecond: values.get(AT_CLKTCK) ?? USUAL.ticksPerSecond,
  };
}
