/* eslint-disable no-console -- it is a command */
import { MUTANTS } from "./mutants.js";
import type { Mutant } from "./mutant.js";
import { runTests } from "./run-tests.js";
import { TreeCopy } from "./tree-copy.js";

/**
 * `bin/mutate [WORD…]`: takes out one guard after the other, all or those with a word in their file or sentence, and tells
 * whether a test fails then. Exit status 1 if one survived, or if the list does not fit the program any more.
 */
async function main(words: readonly string[]): Promise<number> {
  const chosen = MUTANTS.filter(
    ({ file, guard }) => words.length === 0 || words.some((word) => `${file} ${guard}`.includes(word)),
  );
  const copy = await TreeCopy.make(new URL("../..", import.meta.url).pathname);
  try {
    return (await fits(copy, chosen)) && (await passesUnbroken(copy, chosen)) && (await allSeen(copy, chosen))
      ? 0
      : 1;
  } finally {
    await copy.dispose();
  }
}

/** Every text is found once. */
async function fits(copy: TreeCopy, mutants: readonly Mutant[]): Promise<boolean> {
  const problems: string[] = [];
  for (const mutant of mutants) {
    const undo = await copy.apply(mutant).catch((error: unknown) => void problems.push(String(error)));
    await undo?.();
  }
  for (const problem of problems) console.error(` !     ${problem}`);
  return problems.length === 0;
}

/** A test that fails anyway sees nothing. */
async function passesUnbroken(copy: TreeCopy, mutants: readonly Mutant[]): Promise<boolean> {
  const runs = new Map(mutants.map((mutant) => [JSON.stringify([mutant.tests, mutant.only]), mutant]));
  for (const { tests, only } of runs.values()) {
    const { isPassed, output } = await runTests(copy.folder, tests, only);
    if (isPassed) continue;
    console.error(` !     fails with nothing taken out: ${tests.join(", ")}\n${output}`);
    return false;
  }
  return true;
}

async function allSeen(copy: TreeCopy, mutants: readonly Mutant[]): Promise<boolean> {
  let survived = 0;
  for (const mutant of mutants) {
    const undo = await copy.apply(mutant);
    const { isPassed, seconds } = await runTests(copy.folder, mutant.tests, mutant.only);
    await undo();
    if (isPassed) survived++;
    console.log(
      `${isPassed ? "SURVIVED" : "seen    "} ${seconds.toFixed(1).padStart(6)} s  ${mutant.file}: ${mutant.guard}`,
    );
  }
  console.log(`${mutants.length - survived} of ${mutants.length} seen`);
  return survived === 0;
}

process.exitCode = await main(process.argv.slice(2));
