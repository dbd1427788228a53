/** Which apps were destroyed since when, so that what began before makes no app again. */
export class AppRemovals {
  private moments = 0;
  /** App → when its last removal that was carried out was asked for. */
  private readonly askedAt = new Map<string, number>();

  /** A moment, later than all before. */
  now(): number {
    return ++this.moments;
  }

  /** The app is gone; that was asked for at this moment. */
  add(app: string, askedAt: number): void {
    this.askedAt.set(app, askedAt);
  }

  /** Whether the app's removal was asked for after this moment, and has been carried out. */
  hasSince(app: string, moment: number): boolean {
    return (this.askedAt.get(app) ?? 0) > moment;
  }
}
