import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { logQuerySchema } from "../../core/api/apps/logs.js";
import { scaleRequestSchema } from "../../core/api/apps/scale.js";
import { LONGEST_LINE_BYTES } from "../../core/exec/line-splitter.js";
import { LONGEST_ANSWER_BYTES } from "../../core/network/send-request.js";
import { settingsSchema } from "../../core/settings/settings.js";
import { LARGEST_ERROR_PAGE_BYTES } from "../../server/builds/manifest/error-page.js";
import { parseAppJson } from "../../server/builds/manifest/app-json.js";
import { LONGEST_LOCKFILE_BYTES, LONGEST_MANIFEST_BYTES } from "../../server/builds/tree-file.js";
import { LOG_FILES } from "../../server/engines/runit/service-folder.js";
import {
  LONGEST_PATH_BYTES,
  LONGEST_TARGET_BYTES,
  MOST_FILES,
  MOST_LINKS,
} from "../../server/git/tree-links.js";
import { MOST_RECEIVERS } from "../../server/notify/receiver-store.js";
import { MIN_FREE_FILES } from "../../server/pipeline/disk-space.js";
import { MOST_BRANCHES, MOST_REFS } from "../../server/push/push.js";
import { BODIES_AT_ONCE, LARGEST_BODY_BYTES } from "../../server/webhooks/deliveries/bodies-in-memory.js";
import { KEPT_DELIVERIES } from "../../server/webhooks/deliveries/delivery-store.js";
import { MOST_SOURCE_BRANCHES } from "../../server/webhooks/sources/source.js";

const PAGE = new URL("../../docs/limits.md", import.meta.url);
const MEGABYTE = 1024 * 1024;
const { limits, instances } = settingsSchema.parse({});
const [small, medium, large] = BODIES_AT_ONCE;

/** The beginning of each row → the figure that its limit begins with. */
const FIGURES: Readonly<Record<string, number>> = {
  "one push": limits.pushMegabytes,
  "branches that one push changes": MOST_BRANCHES,
  "branches and tags that one push changes": MOST_REFS,
  "branches of a source": MOST_SOURCE_BRANCHES,
  "files of a commit": MOST_FILES,
  "symbolic links of a commit": MOST_LINKS,
  "target of a symbolic link": LONGEST_TARGET_BYTES,
  "path of a file": LONGEST_PATH_BYTES,
  "package.json, app.json": LONGEST_MANIFEST_BYTES / MEGABYTE,
  "a lockfile": LONGEST_LOCKFILE_BYTES / MEGABYTE,
  "an app's own [error page]": LARGEST_ERROR_PAGE_BYTES / 1024,
  "memory of an instance": instances.memoryMegabytes,
  "memory that app.json may ask for": instances.maxMemoryMegabytes,
  "processes and threads of an instance": instances.processes,
  "what an instance writes into its folder, its `/tmp`, its `/dev/shm`, each": instances.scratchMegabytes,
  "memory of a task (installation, gate, build, script)": limits.taskMemoryMegabytes,
  "processes and threads of a task": limits.taskProcesses,
  "`/tmp` and `/dev/shm` of a task, each": limits.taskScratchMegabytes,
  "instances of a process": 100,
  "previews of an app": parseAppJson("{}").sluice.previews.max,
  dependencies: limits.dependenciesSeconds,
  gates: limits.gatesSeconds,
  build: limits.buildSeconds,
  "start, health check and scripts": limits.releaseSeconds,
  "a line of a gate": LONGEST_LINE_BYTES,
  "output of one release": limits.logMegabytes,
  "log of one instance": limits.logMegabytes,
  "access log of one app": limits.logMegabytes,
  "releases whose files are kept": limits.keepReleases,
  "lines that one `sluice logs`": 10_000,
  "a delivery of a webhook": LARGEST_BODY_BYTES / MEGABYTE,
  [`deliveries up to ${small.upToBytes / 1024} kB`]: small.most,
  [`deliveries up to ${medium.upToBytes / MEGABYTE} MB`]: medium.most,
  "larger deliveries": large.most,
  "deliveries of an app that are kept": KEPT_DELIVERIES,
  "receivers of an app's notifications": MOST_RECEIVERS,
  "what is read of a receiver's answer": LONGEST_ANSWER_BYTES / 1024,
  "room that must stay free": limits.minFreeMegabytes,
  "files (inodes) that must stay free": MIN_FREE_FILES,
};

describe("docs/limits.md", () => {
  it("has the figure of every limit as the code has it", async () => {
    const rows = (await readFile(PAGE, "utf8"))
      .split("\n")
      .filter((line) => line.startsWith("| ") && !/^\| what +\|/.test(line))
      .map((line) => line.split("|").map((cell) => cell.trim()));
    for (const [, what = "", limit = ""] of rows) {
      const known = Object.entries(FIGURES).filter(([beginning]) => what.startsWith(beginning));
      const [[, figure] = []] = known.sort(([a], [b]) => b.length - a.length);
      expect(figure, what).to.equal(Number.parseInt(limit, 10));
    }
    for (const beginning of Object.keys(FIGURES))
      expect(
        rows.some(([, what = ""]) => what.startsWith(beginning)),
        beginning,
      ).to.equal(true);
  });

  it("says how many files a log has", async () => {
    expect(await readFile(PAGE, "utf8")).to.include(`An instance's log is in ${LOG_FILES} files`);
  });

  it("names bounds that requests are held to", () => {
    expect(logQuerySchema.safeParse({ lines: 10_001 }).success).to.equal(false);
    expect(logQuerySchema.safeParse({ lines: 10_000 }).success).to.equal(true);
    expect(scaleRequestSchema.safeParse({ web: 101 }).success).to.equal(false);
    expect(scaleRequestSchema.safeParse({ web: 100 }).success).to.equal(true);
    expect(() => parseAppJson('{"formation": {"web": {"quantity": 101}}}')).to.throw();
    expect(() => parseAppJson('{"sluice": {"scale": {"max": 101}}}')).to.throw();
  });
});
