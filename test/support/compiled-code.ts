import process from "node:process";

// For the threads and commands that tests start. Not for the process of the tests itself: it would write its own when it ends, for nobody.
const folder = process.env["IPDM_TEST_COMPILED"];
if (folder !== undefined) process.env["NODE_COMPILE_CACHE"] = folder;
