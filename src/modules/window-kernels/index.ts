// Hot loops of window operators over arrays that lie in a memory of the operator. Each does what the TypeScript beside its caller
// does (src/streams/window), to the bit; a property test compares them.

export { assign } from "./assign";
export { fold } from "./fold";
export { identify } from "./identify";
export { foldJoined } from "./joined";
export { merge } from "./merge";
export { sessions } from "./sessions";
export { widen } from "./widen";
