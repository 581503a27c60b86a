import type { Observable } from "rxjs";
import type { NumberSpec } from "../columns.ts";
import type { Flow } from "../flow.ts";
import type { JoinKind } from "../join/join-plan.ts";

// What the compiler knows of the columns of a join.

/** One input under its name. */
export type One = Readonly<Record<string, Observable<Flow>>>;

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;
/** More than one name, or names that nobody knows. */
export type Pair<I> = string extends keyof I
  ? unknown
  : true extends IsUnion<keyof I>
    ? unknown
    : "a join has two inputs";

type IsAny<T> = 0 extends 1 & T ? true : false;
type StreamOf<O> = O[keyof O];
type ColumnsOf<O> = StreamOf<O> extends Observable<Flow<infer C, infer _>> ? C : never;
type KeysOf<O> = StreamOf<O> extends Observable<Flow<infer _, infer K>> ? K : never;
type Bare<S> = S extends `${infer T}?` ? T : S;
type Missing<S, May> = May extends true ? (S extends `${string}?` ? S : `${S & string}?`) : S;
/** Types whose equal values are equal keys. */
type Group<S> =
  Bare<S> extends infer B ? (B extends NumberSpec ? "integer" : B extends "utf8" | "dict" ? "text" : B) : never;
type Same<L, R> = Bare<L> extends Bare<R> ? Bare<L> & string : L extends NumberSpec ? "i64" : "utf8";
/** A key holds the values of both sides. */
type Joint<L, R> = [Extract<L | R, `${string}?`>] extends [never] ? Same<L, R> : `${Same<L, R>}?`;

/** The keys of two inputs are of like types, or nothing is known of them. */
export type Fit<L, R> =
  IsAny<ColumnsOf<L>> extends true
    ? unknown
    : IsAny<ColumnsOf<R>> extends true
      ? unknown
      : [Group<ColumnsOf<L>[KeysOf<L> & keyof ColumnsOf<L>]>] extends [
            Group<ColumnsOf<R>[KeysOf<R> & keyof ColumnsOf<R>]>,
          ]
        ? [Group<ColumnsOf<R>[KeysOf<R> & keyof ColumnsOf<R>]>] extends [
            Group<ColumnsOf<L>[KeysOf<L> & keyof ColumnsOf<L>]>,
          ]
          ? unknown
          : "keyBy names columns of unlike types"
        : "keyBy names columns of unlike types";

type LeftOf<CL, KL, CR, KR, J> = {
  readonly [P in keyof CL]: P extends KL
    ? Joint<CL[P], CR[KR & keyof CR]>
    : Missing<CL[P], J extends "right" | "full" ? true : false>;
};
type RightOf<CL, CR, KR, N extends string, J> = {
  readonly [P in Exclude<keyof CR, KR> as P extends keyof CL ? `${N}_${P & string}` : P]: Missing<
    CR[P],
    J extends "left" | "full" ? true : false
  >;
};

/** The columns of a join: keys and others of the left, others of the right; a name of the right that is taken has the right's name before it. */
export type Pairs<L extends One, R extends One, J extends JoinKind> =
  IsAny<ColumnsOf<L>> extends true
    ? ColumnsOf<L>
    : IsAny<ColumnsOf<R>> extends true
      ? ColumnsOf<R>
      : LeftOf<ColumnsOf<L>, KeysOf<L>, ColumnsOf<R>, KeysOf<R>, J> &
          RightOf<ColumnsOf<L>, ColumnsOf<R>, KeysOf<R>, keyof R & string, J>;
