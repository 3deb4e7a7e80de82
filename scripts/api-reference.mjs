// The public API as it is declared: `api/isobatch.api.md`, which a review of a change shows, and docs/reference/api.md, for people.
//   npm run api                writes both from the sources' declarations
//   npm run api -- --check     fails if one of them is not what it would write
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { referencePage } from "./api-page.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const REPORT = "api/isobatch.api.md";
const PAGE = "docs/reference/api.md";
const folder = mkdtempSync(join(tmpdir(), "isobatch-api-"));

/** What the declarations in dist/ say: the report, and the same as data. */
function extract() {
  const configObject = {
    projectFolder: root,
    mainEntryPointFilePath: join(root, "dist/index.d.ts"),
    newlineKind: "lf",
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          ...{ module: "NodeNext", moduleResolution: "NodeNext", target: "ES2022", strict: true, skipLibCheck: true },
          types: ["node"],
        },
        files: [join(root, "dist/index.d.ts")],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: "isobatch.api.md",
      reportFolder: folder,
      reportTempFolder: join(folder, "temporary"),
    },
    docModel: { enabled: true, apiJsonFilePath: join(folder, "isobatch.api.json") },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      extractorMessageReporting: {
        default: { logLevel: "warning" },
        "ae-missing-release-tag": { logLevel: "none" },
        // A field whose name says everything needs no words.
        "ae-undocumented": { logLevel: "none" },
      },
      // The comments are written for editors, which show them as they are.
      tsdocMessageReporting: { default: { logLevel: "none" } },
    },
  };
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, "package.json"),
  });
  const problems = [];
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      const isProblem = message.logLevel === "error" || message.logLevel === "warning";
      if (isProblem && !message.messageId.startsWith("console-")) problems.push(message.text);
      message.handled = true;
    },
  });
  if (!succeeded || problems.length > 0) throw new Error(`api-extractor:\n${problems.join("\n")}`);
  return {
    report: readFileSync(join(folder, "isobatch.api.md"), "utf8"),
    model: JSON.parse(readFileSync(join(folder, "isobatch.api.json"), "utf8")),
  };
}

try {
  const { report, model } = extract();
  for (const [path, text] of [
    [REPORT, report],
    [PAGE, referencePage(model)],
  ]) {
    if (!process.argv.includes("--check")) writeFileSync(join(root, path), text);
    else if (readFileSync(join(root, path), "utf8") !== text) {
      console.error(
        `${path} is not what the public declarations say: run npm run api, look at the change, and commit it.`,
      );
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
