import { unpackTo } from "../unpack-to.js";
import { quote } from "../../../core/exec/quote.js";
import { DEADLINE_MS, type Task } from "../task.js";
import { NODE } from "./node-runtime.js";

export const CURRENT = "/opt/sluice/current";
const RELEASES = "/opt/sluice/releases";
const COMMAND = "/usr/local/bin/sluice";
const COMMAND_TEXT = `#!/bin/sh
exec ${NODE} --max-semi-space-size=2 ${CURRENT}/bin/sluice "$@"
`;
/** Of earlier ones. */
const KEPT = 2;

/** The server's own Sluice, in a folder of its own; the change from one to the next is a link's. */
export const sluiceRelease: Task = {
  name: "Sluice",
  deadlineMs: DEADLINE_MS.slow,
  check: async (host, { release }) => {
    const now = await host.output(`readlink ${CURRENT} || true`);
    const command = await host.read(COMMAND);
    return [
      ...(now === `releases/${release.id}`
        ? []
        : [now === "" ? "it is not there" : `it is ${now.slice("releases/".length)}, not ${release.id}`]),
      ...(command === COMMAND_TEXT ? [] : [`${COMMAND} differs`]),
    ];
  },
  apply: async (host, { release }, tell) => {
    const folder = `${RELEASES}/${release.id}`;
    const isThere = (await host.run(`[ -e ${quote(`${folder}/bin/sluice`)} ]`)).status === 0;
    if (!isThere) {
      tell(`sending ${release.id}`);
      await host.output(unpackTo(folder), { input: release.archive(), timeoutMs: DEADLINE_MS.slow });
    }
    await host.output(
      `ln -sfn ${quote(`releases/${release.id}`)} ${CURRENT}.new && mv -T ${CURRENT}.new ${CURRENT}
       cd ${RELEASES} && ls -1t | grep -vxF ${quote(release.id)} | tail -n +${KEPT + 1} | xargs -r rm -rf --`,
    );
    await host.write(COMMAND, COMMAND_TEXT, "755");
  },
};
