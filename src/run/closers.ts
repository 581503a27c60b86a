/** Something to close at the end. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * What a run has opened, closed in reverse order when it ends, whatever happened; one that fails does not keep the others open.
 * (`AsyncDisposableStack` does this in newer Node.js; 22 does not have it.)
 */
export class Closers implements AsyncDisposable {
  private readonly closers: (() => Promise<void>)[] = [];

  /** Closes the thing at the end, and gives it back. */
  use<T extends Closable>(opened: T): T {
    this.defer(() => opened.close());
    return opened;
  }

  /** Calls the function at the end. */
  defer(close: () => Promise<void>): void {
    this.closers.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const close of this.closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}
