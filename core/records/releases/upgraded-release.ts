/**
 * A release's record as this version writes it, from what an earlier one wrote: `order` became `steps`, `traffic` became
 * `serving`, `nodeFolder` moved into the artifact. Anything else is left to the schema.
 */
export function upgradedRelease(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null || !("order" in stored)) return stored;
  const { order, traffic, nodeFolder, ...rest } = stored as Record<string, unknown>;
  const artifact = nodeFolder === undefined ? { kind: "tree" } : { kind: "tree", nodeFolder };
  return { ...rest, steps: order, serving: traffic, artifact };
}
