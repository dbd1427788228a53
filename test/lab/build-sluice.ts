import { execa } from "execa";

/** What hosts get is the build of what is tested. `bin/test --lab` has built it once for all. */
export async function buildSluice(): Promise<void> {
  if (process.env["SLUICE_IS_BUILT"] !== "true") await execa("bin/build");
}
