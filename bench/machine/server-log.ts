import type { TestSluice } from "../../test/support/running/test-sluice.js";

export interface StepTime {
  readonly release: string;
  readonly step: string;
  readonly ms: number;
}

/** What each step of an app's releases took, by the server's own log. */
export async function stepTimes(sluice: TestSluice, app: string): Promise<StepTime[]> {
  return (await sluice.serverLog())
    .split("\n")
    .filter((line) => line.includes('"msg":"step"'))
    .map((line) => JSON.parse(line) as StepTime & { readonly app: string })
    .filter((line) => line.app === app);
}
