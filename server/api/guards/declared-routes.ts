import type { Router } from "express";
import type { Need } from "./needs.js";

export interface DeclaredRoute {
  /** `GET` */
  readonly method: string;
  /** `/apps/:app/scale` */
  readonly path: string;
  /** Undefined: it declares none. */
  readonly need: Need | undefined;
}

/** Every route of a router and of the routers in it, with the need that its first handler declares. */
export function declaredRoutes(router: Router): DeclaredRoute[] {
  return router.stack.flatMap(({ route, handle }): DeclaredRoute[] => {
    if (route === undefined) return isRouter(handle) ? declaredRoutes(handle) : [];
    const [first] = route.stack;
    return [
      { method: (first?.method ?? "all").toUpperCase(), path: route.path, need: needOf(first?.handle) },
    ];
  });
}

/** Throws if a route declares no need, since any token could use it. */
export function refuseUndeclared(router: Router): void {
  const undeclared = declaredRoutes(router).filter(({ need }) => need === undefined);
  if (undeclared.length === 0) return;
  const names = undeclared.map(({ method, path }) => `${method} ${path}`);
  throw new Error(`these routes do not say which right they need: ${names.join(", ")}`);
}

function isRouter(handle: unknown): handle is Router {
  return typeof handle === "function" && "stack" in handle && Array.isArray(handle.stack);
}

function needOf(handle: unknown): Need | undefined {
  // Only `needs` makes functions with this property.
  return typeof handle === "function" && "need" in handle ? (handle.need as Need) : undefined;
}
