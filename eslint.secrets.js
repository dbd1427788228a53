const SECRETS = "/(token|secret|signature|password|passphrase|digest|hmac|hash)$/i";
const SIDES = ["left", "right"];
const NAMES = ["name", "property.name", "callee.name", "callee.property.name"];
/** What tells nothing of a secret: whether there is one. */
const HARMLESS = SIDES.flatMap((side) => [
  `:not([${side}.type='Identifier'][${side}.name='undefined'])`,
  `:not([${side}.type='Literal'])`,
]).join("");

const message = "Compare secrets in constant time: `sameSecret`, or `timingSafeEqual` for bytes.";

/**
 * Options of `no-restricted-syntax`: nothing that is named as a secret is compared by `===`, `==`, `equals` or `compare`, which
 * take the longer the more of a guess is right.
 */
export const secretComparisons = [
  ...SIDES.flatMap((side) => NAMES.map((name) => `[${side}.${name}=${SECRETS}]`)).map(
    (named) => `BinaryExpression[operator=/^[!=]==?$/]${HARMLESS}${named}`,
  ),
  ...[
    "callee.object.name",
    "callee.object.property.name",
    "arguments.0.name",
    "arguments.0.property.name",
  ].map(
    (name) => `CallExpression[callee.property.name=/^(equals|compare|localeCompare)$/][${name}=${SECRETS}]`,
  ),
].map((selector) => ({ selector, message }));
