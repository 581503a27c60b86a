#!/usr/bin/env node
// Plain old JavaScript: a Node.js too old for the rest must still be able to say what to type. It parses on Node 12.
"use strict";

var fs = require("fs");
var path = require("path");
var url = require("url");

var root = path.join(__dirname, "..");
var built = path.join(root, "dist", "src", "cli", "main.js");
var source = path.join(root, "src", "cli", "main.ts");

// The published package and a built tree run `dist`. In an unbuilt tree, or with IPDM_SOURCE=1, the sources run as they are.
var fromSource = fs.existsSync(source) && (process.env.IPDM_SOURCE === "1" || !fs.existsSync(built));
// Node.js runs TypeScript without a flag from 22.18 on.
var needed = fromSource ? [22, 18] : [22, 12];

function isNewEnough(version) {
  var parts = /^v?(\d+)\.(\d+)/.exec(version);
  if (parts === null) return false;
  var major = Number(parts[1]);
  return major > needed[0] || (major === needed[0] && Number(parts[2]) >= needed[1]);
}

// A Node.js installed as the npm package `node`, in this package's folder or in one above it.
function bundledNode() {
  for (var dir = root; ; dir = path.dirname(dir)) {
    var home = path.join(dir, "node_modules", "node");
    var file = path.join(home, "bin", process.platform === "win32" ? "node.exe" : "node");
    try {
      if (
        fs.existsSync(file) &&
        isNewEnough(JSON.parse(fs.readFileSync(path.join(home, "package.json"), "utf8")).version)
      )
        return file;
    } catch (_error) {
      // Nothing readable there: look further up.
    }
    if (path.dirname(dir) === dir) return undefined;
  }
}

function runWith(node) {
  var env = Object.assign({}, process.env, { IPDM_WRAPPED: "1" });
  // The channel carries nothing. It tells the child when this process is gone, even by SIGKILL, which cannot be passed on.
  var child = require("child_process").spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: env,
  });
  var onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  ["SIGINT", "SIGTERM", "SIGHUP"].forEach(function (signal) {
    process.on(signal, function () {
      // Ctrl-C reaches both processes through the terminal; a signal sent to this one alone is passed on.
      if (signal !== "SIGINT" || !onTerminal) child.kill(signal);
    });
  });
  child.on("error", function (error) {
    process.stderr.write("ipdm-runtime: cannot start " + node + ": " + error.message + "\n");
    process.exitCode = 1;
  });
  child.on("exit", function (code, signal) {
    process.exit(code === null ? 128 + (require("os").constants.signals[signal] || 0) : code);
  });
}

function endWithParent() {
  // Not inherited by the processes that the runtime starts.
  delete process.env.IPDM_WRAPPED;
  process.on("disconnect", function () {
    process.kill(process.pid, "SIGKILL");
  });
  process.channel.unref();
}

function runHere() {
  if (process.env.IPDM_WRAPPED === "1" && process.channel) endWithParent();
  require("module").enableCompileCache();
  import(url.pathToFileURL(fromSource ? source : built).href)
    .then(function (cli) {
      return cli.main(process.argv.slice(2));
    })
    .then(
      function (code) {
        process.exitCode = code;
        // Nothing is left to do. Should anything keep the process alive all the same, it ends here.
        setTimeout(function () {
          process.exit(code);
        }, 3000).unref();
      },
      function (error) {
        process.stderr.write(
          "ipdm-runtime: " + (process.argv.indexOf("--verbose") < 0 ? error.message : error.stack) + "\n",
        );
        process.exitCode = 1;
      },
    );
}

var other = isNewEnough(process.version) ? undefined : bundledNode();
if (isNewEnough(process.version)) {
  runHere();
} else if (other !== undefined) {
  runWith(other);
} else {
  var command = ["npx -p node@24 -p ipdm-runtime ipdm-runtime"].concat(process.argv.slice(2)).join(" ");
  process.stderr.write(
    "ipdm-runtime needs Node.js " +
      needed.join(".") +
      " or newer and this is " +
      process.version.slice(1) +
      "; type: " +
      command +
      "\n",
  );
  process.exitCode = 1;
}
