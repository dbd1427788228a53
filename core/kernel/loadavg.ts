/** proc(5), /proc/loadavg: the first figure, over one minute. */
export function parseLoadavg(text: string): number | undefined {
  const found = /^(\d{1,9}\.\d\d) /.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
