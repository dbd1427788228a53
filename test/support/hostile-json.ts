import type { Dice } from "./dice.js";

/** Bodies that parsers and those behind them stumble over: deep, long, wide, unfinished, of the wrong types. */
export function hostileJson(dice: Dice): string {
  const nested = (open: string, close: string, deepest: number): string => {
    const depth = dice.between(1, deepest);
    return open.repeat(depth) + "1" + close.repeat(depth);
  };
  return dice.madeBy([
    () => "[".repeat(dice.between(1, 200_000)),
    () => nested('{"a":', "}", 4000),
    () => `{"value":${nested("[", "]", 10_000)}}`,
    () => "9".repeat(dice.between(1, 50_000)),
    () => `{"percentage": 1e${dice.between(1, 400)}, "value": -0.${"3".repeat(1000)}}`,
    () => '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    () => `{"targetingKey": ${JSON.stringify(dice.text(100))}, "track": "canary"}`,
    () => JSON.stringify(dice.text(2000)),
    () => JSON.stringify(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [index, index]))),
    () =>
      dice.oneOf([
        '"\\ud800"',
        "{}",
        "null",
        "1e999",
        "",
        '{"users": [""]}',
        '{"targetingKey": {}}',
        '{"track": 1}',
      ]),
  ]);
}

/** A push event in some host's form, of branches and commits that there should not be. */
export function hostilePush(dice: Dice): string {
  const commit = dice.oneOf(["a".repeat(40), "0".repeat(40), "b".repeat(64), "A".repeat(40), "a"]);
  const branch = dice.mostly("master", () =>
    dice.oneOf(["__proto__", "-x", "..", "a".repeat(300), "refs/heads/x", dice.text(10)]),
  );
  const change = { new: { type: "branch", name: branch, target: { hash: commit } }, old: null };
  return JSON.stringify(
    dice.oneOf<object>([
      { ref: `refs/heads/${branch}`, after: commit },
      { ref: branch, after: null },
      { branch, commit },
      { push: { changes: Array.from({ length: dice.between(0, 5) }, () => change) } },
    ]),
  );
}
