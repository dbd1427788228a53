import { AppError } from "../../../core/errors/app-error.js";
import type { RemoteHost } from "../../ssh/remote-host.js";
import type { HostPlan } from "../host-plan.js";
import { DEADLINE_MS, type Task } from "../task.js";

const FILE = "/etc/docker/daemon.json";
const BACKUP = `${FILE}.before-sluice`;

type Settings = Readonly<Record<string, unknown>>;

/** What Docker must be set to. Other settings stay. */
function wantedSettings({ privateAddress }: HostPlan): Settings {
  return {
    // Where it publishes ports. By default that is every address.
    ip: privateAddress,
    "no-new-privileges": true,
    // Sluice collects logs by itself; these are what Docker keeps beside that.
    "log-driver": "json-file",
    "log-opts": { "max-size": "10m", "max-file": "3" },
  };
}

/** Docker's settings, merged into what is there. It is restarted only after a change: that ends the instances of a worker. */
export const dockerSettings: Task = {
  name: "Docker's settings",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, plan) => {
    const settings = await settingsOf(host, plan);
    if (settings["live-restore"] === true)
      throw new AppError("host-unfit", {
        host: plan.name,
        problem: `live-restore in ${FILE} does not work with a Swarm`,
        fix: "Remove it there and restart Docker.",
      });
    const wrong = Object.entries(wantedSettings(plan))
      .filter(([key, value]) => !isSame(settings[key], value))
      .map(([key, value]) => `${key} is ${shown(settings[key])}, not ${shown(value)}`);
    const { stdout } = await host.run("systemctl is-active docker; systemctl is-enabled docker");
    return [
      ...wrong,
      ...(stdout === "active\nenabled\n" ? [] : ["Docker does not run, or not from the start"]),
    ];
  },
  apply: async (host, plan) => {
    const settings = await settingsOf(host, plan);
    const merged = { ...settings, ...wantedSettings(plan) };
    if (!isSame(settings, merged)) {
      await host.output(`[ ! -e ${FILE} ] || [ -e ${BACKUP} ] || cp -p ${FILE} ${BACKUP}`);
      await host.write(FILE, `${JSON.stringify(merged, undefined, 2)}\n`);
      await host.output("systemctl reset-failed docker 2>/dev/null; systemctl restart docker");
    }
    await host.output("systemctl enable --quiet --now docker");
  },
};

async function settingsOf(host: RemoteHost, plan: HostPlan): Promise<Settings> {
  const text = (await host.read(FILE)) ?? "";
  try {
    const value: unknown = text.trim() === "" ? {} : JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, as is what is no object.
  }
  throw new AppError("host-unfit", {
    host: plan.name,
    problem: `${FILE} is no JSON object`,
    fix: "Correct or remove it there.",
  });
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
