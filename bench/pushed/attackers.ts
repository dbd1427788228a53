import { tinyApp } from "../../test/support/git/tiny-app.js";

export interface Attack {
  readonly name: string;
  /** Lines for sh(1) that go on until `$end` (date +%s), whatever limit they meet, and then end by themselves. */
  readonly script: string;
}

/** What each program prints when it begins. */
export const BEGINS = "the attack begins";

/** A fork that is refused ends dash, but not perl. */
const FORKS = `perl -e 'while (time < $ARGV[0]) { fork }' $end`;
/** Where the kernel shares its time between sessions first (sched(7)), each of them would get as much as its victim. */
const SESSIONS = `perl -MPOSIX -e 'while (time < $ARGV[0]) { my $pid = fork; if (defined $pid && $pid == 0) { POSIX::setsid() } }' $end`;
const UNTIL_END = "while [ $(date +%s) -lt $end ]; do";
const HOG = `${UNTIL_END} node -e 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))' >/dev/null 2>&1; done`;
const ENDLESS_LINE = `timeout --signal KILL $seconds node -e 'const text = "a".repeat(65536); const more = () => process.stdout.write(text, more); more()'`;
const ENDLESS_LINES = "timeout --signal KILL $seconds yes";
/** At most 512 MB at a time: in a gate its folder is on the real disk. */
const FILLER = `${UNTIL_END} dd if=/dev/zero of=film bs=1M count=512 conv=fsync 2>/dev/null; rm -f film; done`;

export const ATTACKS: readonly Attack[] = [
  { name: "a fork bomb", script: FORKS },
  { name: "a fork bomb of sessions", script: SESSIONS },
  { name: "a memory hog", script: HOG },
  { name: "an endless log line", script: ENDLESS_LINE },
  { name: "endless log lines", script: ENDLESS_LINES },
  { name: "a disk filler", script: FILLER },
];

/** An app whose gate is the attack. */
export function attackingGate(attack: Attack, seconds: number): Record<string, string> {
  return tinyApp({
    "attack.sh": attackScript(attack, seconds),
    "app.json": JSON.stringify({ sluice: { gates: { attack: "sh attack.sh" } } }),
  });
}

/** An app that serves, and whose worker is the attack. */
export function attackingInstance(attack: Attack, seconds: number): Record<string, string> {
  return tinyApp({
    "attack.sh": attackScript(attack, seconds),
    Procfile: "web: node server.js\nworker: exec sh attack.sh\n",
    "app.json": JSON.stringify({ formation: { web: { quantity: 1 }, worker: { quantity: 1 } } }),
  });
}

/** An instance whose worker ended would be started again, and attack once more. */
function attackScript({ script }: Attack, seconds: number): string {
  return `seconds=${seconds}
end=$(($(date +%s) + seconds))
echo ${BEGINS}
${script}
exec sleep 100000
`;
}
