import { chown, mkdir, rm } from "node:fs/promises";
import { readManifest } from "../manifest/manifest.js";
import type { ReleaseWork, Step } from "../step.js";
import { userOf } from "../../tools.js";

const CHECKOUT_TIMEOUT_MS = 120_000;

/** The commit's files, without the history, in a folder that only this release has. */
export const checkout: Step = {
  name: "checkout",
  reaches: "checked-out",
  timeoutMs: () => CHECKOUT_TIMEOUT_MS,
  run: async (work, signal) => {
    const { repository, record, tools, out } = work;
    out.heading(`Checking out ${record.commit.slice(0, 10)} of ${record.branch}`);
    await repository.refuseOutsideLinks(record.commit);
    const tree = await freshFolder(work);
    await repository.extract(record.commit, tree, userOf(work.app, tools), signal);
    const { processes, traffic } = await readManifest(tree, tools.settings.instances.memoryMegabytes);
    return { processes: [...processes], traffic };
  },
  undo: async ({ tools, record }) => {
    await rm(tools.home.release(record.app, record.number), { recursive: true, force: true });
  },
};

async function freshFolder({ tools, app, record }: ReleaseWork): Promise<string> {
  const tree = tools.home.tree(app.name, record.number);
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  await prepareBuildHome(app.name, tree, userOf(app, tools), tools.home.buildHome(app.name));
  return tree;
}

async function prepareBuildHome(_app: string, tree: string, user: { uid: number; gid: number } | undefined, buildHome: string): Promise<void> {
  await mkdir(buildHome, { recursive: true });
  if (user === undefined) return;
  await chown(tree, user.uid, user.gid);
  await chown(buildHome, user.uid, user.gid);
}
