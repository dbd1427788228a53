import { InvalidArgumentError } from "commander";

/** Reads `server,proxy`: names of a list. */
export function parseSomeOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((typed) => {
      const name = known.find((one) => one === typed.trim());
      if (name === undefined)
        throw new InvalidArgumentError(`"${typed}" is not one of: ${known.join(", ")}.`);
      return name;
    });
}
