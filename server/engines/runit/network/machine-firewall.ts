import { z } from "zod";
import type { NetworkNames } from "./network-plan.js";
import type { NetworkTools } from "./network-tools.js";

/** Of `nft -j list chains`: a chain that the kernel asks has a hook and a policy. */
const chainSchema = z.object({
  chain: z.object({
    family: z.enum(["ip", "inet"]),
    table: z.string(),
    name: z.string(),
    hook: z.enum(["input", "forward", "output"]),
    policy: z.literal("drop"),
  }),
});
const listSchema = z.object({ nftables: z.array(z.unknown()) });

/** Whoever holds its lock for longer must not keep Sluice from starting. */
const IPTABLES = ["iptables", "--wait", "5"] as const;
/** Its exit status then. */
const LOCKED = 4;

/**
 * The rules of iptables(8) by which a machine's own firewall lets apps' packets through: ufw and Docker drop what they do not
 * know. What apps may reach is decided before, by Sluice's own table, and a packet that this one drops is dropped.
 */
const PASSES = [
  { chain: "FORWARD", direction: "-i" },
  { chain: "FORWARD", direction: "-o" },
  { chain: "INPUT", direction: "-i" },
  { chain: "OUTPUT", direction: "-o" },
] as const;
type Pass = readonly [chain: string, ...rule: string[]];

/** Another firewall of this machine than Sluice's. */
export class MachineFirewall {
  private readonly passes: readonly Pass[];

  constructor(
    private readonly tools: NetworkTools,
    { instances, tasks }: NetworkNames,
  ) {
    this.passes = PASSES.flatMap(({ chain, direction }) =>
      [instances, tasks].map((devices): Pass => [chain, direction, `${devices}+`, "-j", "ACCEPT"]),
    );
  }

  /** Where iptables(8) decides about packets. Returns how many rules were missing. */
  async letPass(): Promise<number> {
    const rules = await this.rules();
    const needed = this.passes.filter(
      (pass) => rules.some((rule) => isDecision(rule, pass[0])) && !rules.includes(lineOf(pass)),
    );
    let added = 0;
    for (const pass of needed) {
      // An iptables that lists it in other words has it all the same: it must not be added again and again.
      if ((await this.tools.attempt([...IPTABLES, "-C", ...pass])).status === 0) continue;
      await this.tools.run([...IPTABLES, "-I", ...pass]);
      added++;
    }
    return added;
  }

  async forget(): Promise<void> {
    const rules = await this.rules();
    const ours = this.passes.filter((pass) => rules.includes(lineOf(pass)));
    for (const pass of ours) await this.tools.run([...IPTABLES, "-D", ...pass]);
  }

  /** Chains of nft(8) that drop what their own rules do not name, which only a person can change: `inet filter forward`, say. */
  async droppingChains(): Promise<string[]> {
    const { nftables } = listSchema.parse(JSON.parse(await this.tools.run(["nft", "-j", "list", "chains"])));
    return nftables.flatMap((each) => {
      const found = chainSchema.safeParse(each);
      if (!found.success) return [];
      const { family, table, name, hook } = found.data.chain;
      const isOfIptables = family === "ip" && table === "filter" && name === hook.toUpperCase();
      return isOfIptables ? [] : [`${family} ${table} ${name}`];
    });
  }

  /** None without iptables(8), or where the kernel has nothing for it. Throws while somebody else holds its lock. */
  private async rules(): Promise<string[]> {
    const { status, stdout, stderr } = await this.tools
      .attempt([...IPTABLES, "-S"])
      .catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT")
          return { status: 0, stdout: "", stderr: "" };
        throw error;
      });
    if (status === LOCKED) throw new Error(`iptables: ${stderr.trim()}`);
    return stdout.split("\n");
  }
}

function lineOf([chain, ...rule]: Pass): string {
  return ["-A", chain, ...rule].join(" ");
}

/** Unlike the one that is there when nobody has a firewall. */
function isDecision(rule: string, chain: string): boolean {
  const [option, of] = rule.split(" ");
  return of === chain && (option === "-A" || rule === `-P ${chain} DROP`);
}
