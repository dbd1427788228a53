const SHOWN = 5;

/** What is still to be done after the server's start, for people. */
export function recoveringLines(apps: readonly string[]): string[] {
  if (apps.length === 0) return [];
  const more = apps.length > SHOWN ? ` and ${apps.length - SHOWN} more` : "";
  return [
    `starting ${apps.slice(0, SHOWN).join(", ")}${more}: pushes and commands wait until all is as it was`,
  ];
}
