import { readFile, writeFile } from "node:fs/promises";
import type { Log } from "../../../../core/log.js";
import { Ticker } from "../../../../core/loop/ticker.js";
import { firewallRules, type FirewallPlan } from "./firewall-rules.js";
import { setParameter } from "./kernel-parameter.js";
import { MachineFirewall } from "./machine-firewall.js";
import { networkNames, SANDBOX_ADDRESSES, type NetworkNames } from "./network-plan.js";
import { NetworkTools } from "./network-tools.js";
import { readResolver } from "./resolver.js";

export interface FirewallOptions extends Pick<FirewallPlan, "offered" | "allowed"> {
  /** The state folder. */
  readonly owner: string;
  readonly path: string;
  /** resolv.conf(5) for the programs in apps' networks. */
  readonly resolvConf: string;
  readonly log: Log;
}

const EVERY_MS = 5_000;
const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

/**
 * What holds for all networks of apps: whom they reach, and who reaches them. Looks again and again whether it still does:
 * a firewall that is reloaded, such as ufw, often deletes every rule first. Needs root.
 */
export class Firewall {
  private readonly tools: NetworkTools;
  private readonly names: NetworkNames;
  private readonly machine: MachineFirewall;
  private readonly ticker: Ticker;
  private rules = "";
  /** How nft(8) shows them. */
  private shown: string | undefined;
  private dropping = "";

  private constructor(private readonly options: FirewallOptions) {
    this.tools = new NetworkTools(options.path);
    this.names = networkNames(options.owner);
    this.machine = new MachineFirewall(this.tools, this.names);
    this.ticker = new Ticker({
      everyMs: EVERY_MS,
      job: async () => this.ensure(),
      onError: (error) =>
        options.log.error({ err: error }, "could not check the firewall of the apps' networks"),
    });
  }

  /** Sets the rules, in place of earlier ones. Throws what nft(8) or ip(8) says. */
  static async open(options: FirewallOptions): Promise<Firewall> {
    const firewall = new Firewall(options);
    await firewall.ensure();
    firewall.ticker.start();
    return firewall;
  }

  /** The rules stay. */
  async stop(): Promise<void> {
    await this.ticker.stop();
  }

  /** Removes the rules, if there are any. */
  static async remove({ owner, path }: Pick<FirewallOptions, "owner" | "path">): Promise<void> {
    const tools = new NetworkTools(path);
    const names = networkNames(owner);
    // The first line makes it, so that the second finds one.
    await tools.run(["nft", "-f", "-"], `table inet ${names.table}\ndelete table inet ${names.table}\n`);
    await new MachineFirewall(tools, names).forget();
    const tables = await tools.run(["nft", "list", "tables"]);
    if (!tables.includes(" sluice_"))
      await tools.attempt(["ip", "route", "delete", "unreachable", SANDBOX_ADDRESSES]);
  }

  private async ensure(): Promise<void> {
    const resolver = await readResolver();
    await this.keepFile(this.options.resolvConf, resolver.text);
    if ((await readFile(IP_FORWARD, "utf8")).trim() !== "1")
      await this.tools.run(["/bin/sh", "-c", setParameter("net/ipv4/ip_forward", "1")]);
    // What is meant for a network that is gone must not look for it elsewhere.
    await this.tools.run(["ip", "route", "replace", "unreachable", SANDBOX_ADDRESSES]);
    await this.ensureRules(firewallRules({ ...this.options, ...resolver, names: this.names }));
    // The next look makes up for it; a start does not wait.
    const added = await this.machine.letPass().catch((error: unknown) => {
      this.options.log.warn({ err: error }, "could not let the apps' networks through iptables yet");
      return 0;
    });
    if (added > 0)
      this.options.log.info({ rules: added }, "let the apps' networks through this machine's firewall");
    await this.warn();
  }

  private async ensureRules(rules: string): Promise<void> {
    const isGone = this.shown !== undefined && this.shown !== (await this.show());
    if (isGone) this.options.log.warn("the firewall rules of the apps' networks had been changed: restored");
    else if (rules === this.rules) return;
    await this.tools.run(["nft", "-f", "-"], rules);
    this.rules = rules;
    this.shown = await this.show();
  }

  private async show(): Promise<string> {
    return (await this.tools.attempt(["nft", "list", "table", "inet", this.names.table])).stdout;
  }

  private async warn(): Promise<void> {
    const chains = (await this.machine.droppingChains()).join(", ");
    if (chains !== "" && chains !== this.dropping) {
      const devices = [`${this.names.instances}*`, `${this.names.tasks}*`];
      this.options.log.warn(
        { chains, devices },
        "a firewall of this machine drops packets of the apps' networks: accept these devices in its chains, or apps reach neither the internet nor their Redis",
      );
    }
    this.dropping = chains;
  }

  /** In place: programs that run see the file itself. */
  private async keepFile(path: string, text: string): Promise<void> {
    const there = await readFile(path, "utf8").catch(() => undefined);
    if (there !== text) await writeFile(path, text, { mode: 0o644 });
  }
}
