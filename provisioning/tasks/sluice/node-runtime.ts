import type { RemoteHost } from "../../ssh/remote-host.js";
import { DEADLINE_MS, type Task } from "../task.js";
import { unpackTo } from "../unpack-to.js";

/** What `sluice.service` runs. */
export const NODE = "/opt/sluice/bin/node";
const NPM = "/opt/sluice/node/npm";
const SHIPPED = "/opt/sluice/node/node";
const IS_NEW_ENOUGH =
  "'const [a, b] = process.versions.node.split(\".\"); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)'";

/** A Node.js that runs Sluice: the machine's own, or a copy of the server's. */
export const nodeRuntime: Task = {
  name: "Node.js",
  deadlineMs: DEADLINE_MS.slow,
  check: async (host) => ((await runs(host, NODE)) ? [] : ["there is none that runs Sluice"]),
  apply: async (host, { release }, tell) => {
    const own = (await host.output("command -v node || true")).trim();
    if (own !== "" && (await runs(host, own))) {
      await host.output(`mkdir -p /opt/sluice/bin && ln -sfn "$(readlink -f ${own})" ${NODE}`);
      return;
    }
    const architecture = await host.output("uname -m");
    if (architecture !== release.architecture) {
      tell(
        `its processor is ${architecture}, the server's ${release.architecture}: Debian's Node.js is installed`,
      );
      await host.output(
        "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs",
        {
          timeoutMs: DEADLINE_MS.slow,
        },
      );
      await host.output(`mkdir -p /opt/sluice/bin && ln -sfn /usr/bin/node ${NODE}`);
      return;
    }
    tell("sending the server's own");
    await host.output(
      `mkdir -p /opt/sluice/bin /opt/sluice/node && draft=$(mktemp ${SHIPPED}.XXXXXX) && gunzip >"$draft" && chmod 755 "$draft" && mv "$draft" ${SHIPPED} && ln -sfn ${SHIPPED} ${NODE}`,
      { input: release.node(), timeoutMs: DEADLINE_MS.slow },
    );
  },
};

/** For apps: a Node.js and an npm that every user finds. */
export const nodeForApps: Task = {
  name: "Node.js for apps",
  deadlineMs: DEADLINE_MS.slow,
  check: async (host) => {
    const { status } = await host.run("command -v node && command -v npm && npm --version");
    return status === 0 && (await runs(host, "node"))
      ? []
      : ["node and npm are not there, or too old for Sluice"];
  },
  apply: async (host, { release }) => {
    await host.output(unpackTo(NPM), { input: release.npm(), timeoutMs: DEADLINE_MS.slow });
    await host.output(
      `ln -sfn "$(readlink -f ${NODE})" /usr/local/bin/node
       for name in npm npx; do ln -sfn ${NPM}/bin/$name-cli.js /usr/local/bin/$name; done
       chmod 755 ${NPM}/bin/npm-cli.js ${NPM}/bin/npx-cli.js`,
    );
  },
};

async function runs(host: RemoteHost, node: string): Promise<boolean> {
  return (await host.run(`${node} -e ${IS_NEW_ENOUGH}`)).status === 0;
}
