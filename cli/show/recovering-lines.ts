const SHOWN = 5;

/** Apps that are still being recovered after the server's start, for people. */
export function recoveringLines(apps: readonly string[]): string[] {
  if (apps.length === 0) return [];
  const more = apps.length > SHOWN ? ` and ${apps.length - SHOWN} more` : "";
  return [
    `recovering ${apps.slice(0, SHOWN).join(", ")}${more}: pushes and commands for these apps wait until they are recovered`,
  ];
}
