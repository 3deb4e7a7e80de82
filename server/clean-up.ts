/** What must be undone of a start, whether it fails half way or the server ends. */
export interface CleanUp {
  add(action: () => Promise<void> | void): void;
  /** Undoes all that was added, the newest first; what is undone is forgotten. */
  run(): Promise<void>;
}

export function createCleanUp(): CleanUp {
  const actions: (() => Promise<void> | void)[] = [];
  return {
    add: (action) => void actions.push(action),
    async run() {
      for (const action of actions.splice(0).reverse()) await action();
    },
  };
}
