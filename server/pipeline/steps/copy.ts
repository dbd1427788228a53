import { AppError } from "../../../core/errors/app-error.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { releaseName } from "../../../core/names.js";
import { userOf } from "../../machine.js";
import { copyFolder } from "../../builds/copy-folder.js";
import type { Step } from "../step.js";

const COPY_TIMEOUT_MS = 120_000;

/** The build of another release, in a folder of its own. */
export const copy: Step = {
  name: "copy",
  reaches: "built",
  timeoutMs: () => COPY_TIMEOUT_MS,
  run: async ({ tools, app, record, out }) => {
    const { copyOf = 0 } = record;
    const original = await tools.releases.find(app.name, copyOf);
    if (original === undefined)
      throw new AppError("release-unknown", { app: app.name, release: releaseName(copyOf), known: [] });
    out.heading(`Copying ${releaseName(copyOf)}`);
    const tree = tools.home.tree(app.name, record.number);
    await removeTree(tree);
    await copyFolder(tools.home.tree(app.name, copyOf), tree, userOf(app, tools), tools.path);
    const { artifact, serving, manifest } = original;
    // It has nobody to go back to.
    return {
      artifact,
      serving: { ...serving, standbySeconds: 0 },
      ...(manifest === undefined ? {} : { manifest }),
    };
  },
  undo: async ({ tools, record }) => {
    await removeTree(tools.home.tree(record.app, record.number));
  },
};
