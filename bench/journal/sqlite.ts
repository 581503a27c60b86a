import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AnyMachineSnapshot, createActor, initialTransition, transition } from "xstate";
import { GroupCommit } from "../../src/journal/group-commit.ts";
import type { Open } from "./subject.ts";
import { type OrderEvent, orderMachine } from "./workload.ts";

/** What people write: XState's `transition`, the event and the persisted snapshot into SQLite, one transaction an event. */
export const sqliteEach: Open = async (folder, actors) => {
  const store = openSqlite(folder, actors);
  return {
    send: async (actor, event) => store.commit([store.next(actor, event)]),
    [Symbol.asyncDispose]: async () => store.close(),
  };
};

/** The same with a transaction for all events that arrived while one was committed. */
export const sqliteGroup: Open = async (folder, actors) => {
  const store = openSqlite(folder, actors);
  const group = new GroupCommit<Row>(async (rows) => store.commit(rows));
  return {
    send: (actor, event) => group.add(store.next(actor, event), 256),
    [Symbol.asyncDispose]: async () => {
      await group.close();
      store.close();
    },
  };
};

type Row = readonly [actor: string, seq: number, event: string, snapshot: string];

function openSqlite(
  folder: string,
  actors: number,
): { next(actor: number, event: OrderEvent): Row; commit(rows: readonly Row[]): void; close(): void } {
  const db = new DatabaseSync(join(folder, "actors.db"));
  // As durable as ours: every commit is synced. WAL is SQLite's fastest way of doing that.
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE events (actor TEXT, seq INTEGER, event TEXT, PRIMARY KEY (actor, seq)) WITHOUT ROWID;
    CREATE TABLE actors (actor TEXT PRIMARY KEY, seq INTEGER, snapshot TEXT) WITHOUT ROWID;`);
  const addEvent = db.prepare("INSERT INTO events VALUES (?, ?, ?)");
  const setActor = db.prepare("INSERT OR REPLACE INTO actors VALUES (?, ?, ?)");
  const snapshots: AnyMachineSnapshot[] = Array.from({ length: actors }, () => initialTransition(orderMachine)[0]);
  const seqs = new Array<number>(actors).fill(0);
  return {
    next(actor, event) {
      const [snapshot] = transition(orderMachine, snapshots[actor] as never, event);
      snapshots[actor] = snapshot;
      const seq = (seqs[actor] ?? 0) + 1;
      seqs[actor] = seq;
      const persisted = createActor(orderMachine, { snapshot }).getPersistedSnapshot();
      return [`order/${actor}`, seq, JSON.stringify(event), JSON.stringify(persisted)];
    },
    commit(rows) {
      db.exec("BEGIN IMMEDIATE");
      for (const [actor, seq, event, snapshot] of rows) {
        addEvent.run(actor, seq, event);
        setActor.run(actor, seq, snapshot);
      }
      db.exec("COMMIT");
    },
    close: () => db.close(),
  };
}
