import { execa } from "execa";
import { join } from "node:path";
import { leftoversOf } from "../support/running/leftovers.js";
import type { TestSluice } from "../support/running/test-sluice.js";
import type { Excuse } from "./disruptions.js";
import type { FailedVisit } from "./visitors.js";

interface Release {
  readonly release: string;
  readonly commit: string;
  readonly branch: string;
  readonly track: string;
  readonly phase: string;
  readonly traffic: string;
}

/** Phases that a release may stay in. */
const ENDS = ["settled", "retired", "failed"];
const KEPT_TREES = 5;

/** What is not as it must be once nothing is disrupted any more; empty when all is well. */
export async function problemsOf(sluice: TestSluice, app: string): Promise<string[]> {
  const releases = await sluice.read<Release[]>(`apps/${app}/releases`);
  const { instances, jobs, servers, trees } = await leftoversOf(sluice, app);
  const live = releases.filter(({ traffic }) => traffic === "live");
  const wanted = live.flatMap(instancesOf(app)).sort();
  return [
    ...(await branchProblems(sluice, app, live)),
    ...releases
      .filter(({ phase }) => !ENDS.includes(phase))
      .map(({ release, phase }) => `${app}: ${release} is ${phase}`),
    ...differences(`${app}: instances`, wanted, instances),
    ...differences(`${app}: servers`, wanted, servers),
    ...(jobs.length > 0 ? [`${app}: processes ${jobs.join(", ")}`] : []),
    ...(trees.length > KEPT_TREES + 1 ? [`${app}: trees of ${trees.join(", ")}`] : []),
  ];
}

/** Production has two, a preview one. */
function instancesOf(app: string): (release: Release) => string[] {
  return ({ release, track }) =>
    (track === "production" ? [1, 2] : [1]).map((index) => `${app}.${release}.web.${index}`);
}

/** Each branch's track has the branch's commit, and visitors get it. */
async function branchProblems(sluice: TestSluice, app: string, live: readonly Release[]): Promise<string[]> {
  const repository = join(sluice.home, "apps", app, "repo.git");
  const { stdout } = await execa("git", [
    "-C",
    repository,
    "for-each-ref",
    "--format=%(refname:lstrip=2) %(objectname)",
    "refs/heads",
  ]);
  const problems = await Promise.all(
    stdout.split("\n").map(async (line) => {
      const [branch = "", commit = ""] = line.split(" ");
      const release = live.find((candidate) => candidate.branch === branch);
      if (release?.commit !== commit)
        return [
          `${app}: ${branch} is ${commit.slice(0, 7)}, serving is ${release?.release} ${release?.commit.slice(0, 7)}`,
        ];
      const host = branch === "master" ? app : `${release.track}.${app}`;
      const { status, headers } = await sluice.get(host);
      const served = String(headers["sluice-release"]);
      return status === 200 && served === release.release
        ? []
        : [`${app}: ${host} answers ${status} of ${served}, not ${release.release}`];
    }),
  );
  return problems.flat();
}

function differences(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const missing = wanted.filter((name) => !found.includes(name)).map((name) => `${what}: ${name} is missing`);
  const spare = found.filter((name) => !wanted.includes(name)).map((name) => `${what}: ${name} is left over`);
  return [...missing, ...spare];
}

/** Requests that failed though nothing they depended on was killed while they were open. */
export function unexcused(failed: readonly FailedVisit[], excuses: readonly Excuse[]): FailedVisit[] {
  return failed.filter(
    ({ app, beganAt, endedAt }) =>
      !excuses.some(
        (excuse) =>
          (excuse.app === undefined || excuse.app === app) &&
          beganAt <= excuse.until &&
          endedAt >= excuse.from,
      ),
  );
}
