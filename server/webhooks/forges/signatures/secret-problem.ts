/** Nothing is proved to who has no secret. */
export function secretProblem(secret: string): string | undefined {
  return secret.trim() === "" ? "the app has no webhook secret" : undefined;
}
