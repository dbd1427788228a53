/** A text on one line, of at most so many characters; `…` stands where it was cut. */
export function shortened(text: string, mostCharacters: number): string {
  const characters = Array.from(text.replace(/\s+/g, " ").trim());
  if (characters.length <= mostCharacters) return characters.join("");
  return `${characters.slice(0, mostCharacters - 1).join("")}…`;
}
