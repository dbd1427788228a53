import type { Mutant } from "../mutant.js";

const RULE = ["test/unit/monitor/rules/evaluate-rule.test.ts"];
const LOOK = ["test/unit/monitor/rules/look.test.ts"];
const AUTOSCALER = ["test/unit/monitor/autoscaling/autoscaler.test.ts"];

/** When an alert is raised, who is told, and when instances are added. */
export const monitor: readonly Mutant[] = [
  {
    guard: "a jump of the clock raises and resolves nothing",
    file: "monitor/rules/evaluate-rule.ts",
    text: "Math.min(LONGEST_STEP_MS, Math.max(0, at - pending.at))",
    by: "at - pending.at",
    tests: RULE,
  },
  {
    guard: "an alert is resolved only when the value is back by the hysteresis",
    file: "monitor/rules/evaluate-rule.ts",
    text: "value <= above - hysteresis",
    by: "value <= above",
    tests: RULE,
  },
  {
    guard: "a rule is raised only after its seconds",
    file: "monitor/rules/evaluate-rule.ts",
    text: "heldMs < threshold.forSeconds * 1000",
    by: "heldMs < 0",
    tests: RULE,
  },
  {
    guard: "an acknowledged alert sends no reminders",
    file: "monitor/rules/alert-life.ts",
    text: "!isDue || quiet.acknowledged !== undefined || isSilent(quiet, now)",
    by: "!isDue || isSilent(quiet, now)",
    tests: LOOK,
  },
  {
    guard: "nobody is notified of an alert under a silence",
    file: "monitor/rules/alert-life.ts",
    text: "if (isSilent(quiet, now)) return { ...alert, pending: [] };",
    by: "",
    tests: LOOK,
  },
  {
    guard: "who was never told that an alert began is not told that it ended",
    file: "monitor/rules/alert-life.ts",
    text: 'over.announced ? owing(over, "resolved", now, quiet) : over',
    by: 'owing(over, "resolved", now, quiet)',
    tests: LOOK,
  },
  {
    guard: "a silence ends",
    file: "monitor/rules/alert-life.ts",
    text: "silence !== undefined && now < silence.until",
    by: "silence !== undefined",
    tests: LOOK,
  },
  {
    guard: "an alert of a host that was removed is over",
    file: "monitor/rules/look.ts",
    text: 'if (alert.phase !== "resolved" && !watched.has(subjectOf(alert)))',
    by: "if (now < 0)",
    tests: LOOK,
  },
  {
    guard: "the autoscaler keeps still while a release is under way",
    file: "monitor/autoscaling/autoscaler.ts",
    text: 'if (isReleasing) return stay("a release is in progress");',
    by: "",
    tests: AUTOSCALER,
  },
  {
    guard: "the autoscaler asks once for a change, not at every look",
    file: "monitor/autoscaling/autoscaler.ts",
    text: "askedAt !== undefined && now - askedAt < cooldownSeconds * 1000",
    by: "askedAt === 0",
    tests: AUTOSCALER,
  },
  {
    guard: "the autoscaler at most doubles",
    file: "monitor/autoscaling/autoscaler.ts",
    text: "Math.min(max, 2 * instances, Math.ceil(load / cpuTarget))",
    by: "Math.min(max, Math.ceil(load / cpuTarget))",
    tests: AUTOSCALER,
  },
  {
    guard: "the autoscaler never exceeds max",
    file: "monitor/autoscaling/autoscaler.ts",
    text: "Math.min(max, 2 * instances, Math.ceil(load / cpuTarget))",
    by: "Math.min(2 * instances, Math.ceil(load / cpuTarget))",
    tests: AUTOSCALER,
  },
  {
    guard: "no instance is taken away while there is an alert",
    file: "monitor/autoscaling/autoscaler.ts",
    text: "instances === min || alert !== undefined || peak === undefined",
    by: "instances === min || peak === undefined",
    tests: AUTOSCALER,
  },
  {
    guard: "no instance is taken away within the cooldown",
    file: "monitor/autoscaling/autoscaler.ts",
    text: "  if (now - changedAt < cooldownSeconds * 1000) return undefined;",
    by: "",
    tests: AUTOSCALER,
  },
  {
    guard: "no more instances than the machines have processors",
    file: "monitor/autoscaling/autoscaler.ts",
    text: "to: Math.min(to, most), reason",
    by: "to, reason",
    tests: AUTOSCALER,
  },
  {
    guard: "a recipient who was taken out of the settings gets nothing more",
    file: "monitor/notices/tell-people.ts",
    text: "if (!sender.to.includes(to)) return;",
    by: "",
    tests: ["test/rooms/monitor/alert-notices.test.ts"],
  },
  {
    guard: "a notice that was sent is not sent again",
    file: "monitor/notices/tell-people.ts",
    text: "if (await sent.has(sender.kind, notice.id, to)) return;",
    by: "",
    tests: ["test/rooms/monitor/alert-notices.test.ts"],
  },
];
