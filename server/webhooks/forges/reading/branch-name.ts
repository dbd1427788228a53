const LONGEST_BYTES = 255;

/** Why a name cannot be a branch's, undefined when it can: git's own rules (git-check-ref-format) and a limit. */
export function branchNameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (Buffer.byteLength(name) > LONGEST_BYTES) return `it is longer than ${LONGEST_BYTES} bytes`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return "it contains a control character";
  if (name.startsWith("-")) return "it begins with a dash";
  if (name.includes("..")) return "it contains two dots in a row";
  if (/[ ~^:?*[\\]/.test(name) || name.includes("@{") || name === "@")
    return "it contains characters that Git does not allow";
  const isUnfit = name.split("/").some((part) => /^$|^\.|\.lock$/.test(part)) || name.endsWith(".");
  return isUnfit ? "a part of it is empty, begins with a dot, or ends in .lock or a dot" : undefined;
}
