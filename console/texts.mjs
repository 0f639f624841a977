/**
 * Checks what the console says: prints what is wrong, one finding a line, and ends with 1 where anything is. Looks at the folder that is
 * given, or at its own.
 *
 * - All languages have the same texts, in the same chunks, with the same places to put something into.
 * - Whatever the code says is there, what a text has places for is given, and every text is said somewhere.
 * - What is loaded says only what is loaded with it.
 * - No words stand in the code itself.
 */
import { basename, dirname, join, relative, resolve } from "node:path";

import ts from "typescript";

const HERE = resolve(process.argv[2] ?? import.meta.dirname);
const SOURCES = join(HERE, "src");
const TEXTS = join(SOURCES, "i18n");
const LANGUAGES = ["en", "zh"];
const COMMON = "common"; // the chunk that is always there
const PLURALS = ["_one", "_other"];
/** What is not looked into: what these packages are makes no difference to what is said. */
const OTHERS = /^(antd|@ant-design|echarts|react-dom|react-router)\b/;
/** Attributes, and fields of what is handed to components, whose words people see. */
const SHOWN = /^(title|label|placeholder|alt|aria-label|description|message|tooltip|okText|cancelText|addonBefore|addonAfter|extra|tip)$/;
const WORDS = /\p{L}{2}/u;

/** Operators whose value is that of a side. */
const CHOOSES = new Set([ts.SyntaxKind.PlusToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.QuestionQuestionToken]);

const findings = new Set();

/** Every text of a language by its key: what it says, its chunk, its places. */
async function textsOf(language) {
  const found = new Map();
  for (const path of ts.sys.readDirectory(join(TEXTS, language), [".ts", ".json"])) {
    const chunk = basename(path).replace(/\..*/, "");
    const source = ts.sys.readFile(path);
    const rooms = path.endsWith(".json") ? { [chunk]: JSON.parse(source) } : await import(`data:text/javascript,${encodeURIComponent(ts.transpile(source, { module: ts.ModuleKind.ESNext }))}`);
    for (const [room, texts] of Object.entries(rooms))
      for (const [name, text] of Object.entries(texts)) {
        const places = [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]))].sort();
        found.set(`${room}.${name}`, { chunk, places });
      }
  }
  return found;
}

/** That a language has what the first one has, and nothing else. */
function compare(texts, others, language) {
  for (const key of others.keys()) if (!texts.has(key)) findings.add(`${key}: is not in ${LANGUAGES[0]}`);
  for (const [key, { chunk, places }] of texts) {
    const other = others.get(key);
    if (other === undefined) findings.add(`${key}: is not in ${language}`);
    else if (other.chunk !== chunk) findings.add(`${key}: is in the chunk ${other.chunk} of ${language}, and in ${chunk}`);
    else if (!key.endsWith("_one") && other.places.join() !== places.join()) findings.add(`${key}: has the places {${other.places}} in ${language}, and {${places}}`);
  }
}

/** The console's own modules, with what is known of their types. */
function compiled() {
  const read = ts.readConfigFile(join(HERE, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, HERE);
  const host = ts.createCompilerHost(options, true);
  host.resolveModuleNameLiterals = (literals, from, _redirect, given) =>
    literals.map(({ text }) => (OTHERS.test(text) ? { resolvedModule: undefined } : ts.resolveModuleName(text, from, given, host)));
  return ts.createProgram([join(SOURCES, "main.tsx")], { ...options, types: [] }, host);
}

const all = Object.fromEntries(await Promise.all(LANGUAGES.map(async (language) => [language, await textsOf(language)])));
const texts = all[LANGUAGES[0]];
for (const language of LANGUAGES.slice(1)) compare(texts, all[language], language);
const program = compiled();
const checker = program.getTypeChecker();
const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(SOURCES) && dirname(dirname(fileName)) !== TEXTS);
const unsaid = new Set(texts.keys());
/** By module: the modules that it brings, and the chunks that it says something of. */
const modules = new Map(files.map(({ fileName }) => [fileName, { brings: new Set(), says: new Set() }]));
/** What is loaded on its own, with the chunks that are loaded with it. */
const loads = [{ path: join(SOURCES, "main.tsx"), chunks: [COMMON] }];

for (const file of files) look(file, file);
for (const load of loads) checkLoad(load);
for (const key of unsaid) findings.add(`${key}: is never said`);
for (const finding of [...findings].sort()) console.log(finding);
process.exitCode = findings.size > 0 ? 1 : 0;

function look(node, file) {
  const module = modules.get(file.fileName);
  if (isCall(node, "withTexts")) {
    loads.push({ path: pathOf(imported(node.arguments[1]), file), chunks: [COMMON, ...node.arguments[0].elements.map(({ text }) => text)] });
    return;
  }
  if (isCall(node, "t")) checkSaid(node, module);
  else if (ts.isImportDeclaration(node) && !node.importClause?.isTypeOnly) module.brings.add(pathOf(node, file));
  else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) module.brings.add(pathOf(node, file));
  else checkWords(node, file);
  node.forEachChild((child) => look(child, file));
}

/** What `t(...)` says: that there is such a text, and that what it has places for is given. */
function checkSaid(call, module) {
  const [said, given] = call.arguments;
  const names = given !== undefined && ts.isObjectLiteralExpression(given) ? given.properties.map(({ name }) => name?.text) : [];
  for (const wanted of keysOf(said)) {
    const shown = wanted.source.slice(1, -1).replaceAll("\\", "");
    const forms = [...texts.keys()].filter((key) => wanted.test(names.includes("count") ? key.replace(/_(one|other)$/, "") : key));
    if (forms.length === 0) report(call, `there is no text ${shown}`);
    if (names.includes("count") && forms.length % PLURALS.length) report(call, `${shown} has not all forms`);
    for (const key of forms) {
      const { chunk, places } = texts.get(key);
      unsaid.delete(key);
      module.says.add(chunk);
      const missing = places.filter((place) => !names.includes(place));
      if (missing.length > 0 && !names.includes(undefined)) report(call, `${key} is not given ${missing.join(", ")}`);
    }
  }
}

/** The keys that an expression may be: the literals of its type; where its type is said to be another one, all that have its form. */
function keysOf(node) {
  if (ts.isAsExpression(node) && ts.isTemplateExpression(node.expression)) {
    const { head, templateSpans } = node.expression;
    return [new RegExp(`^${escaped(head.text)}${templateSpans.map(({ literal }) => `.+${escaped(literal.text)}`).join("")}$`)];
  }
  const type = checker.getTypeAtLocation(node);
  const types = type.isUnion() ? type.types : [type];
  if (types.every((one) => one.isStringLiteral())) return types.map(({ value }) => new RegExp(`^${escaped(value)}$`));
  report(node, `what it says cannot be told: ${checker.typeToString(type)}`);
  return [];
}

/** That everything which is loaded together is loaded with what it says, and with nothing else. */
function checkLoad({ path, chunks }) {
  const found = new Set();
  const needed = new Set([COMMON]);
  const follow = (one) => {
    const module = modules.get(one);
    if (module === undefined || found.has(one)) return;
    found.add(one);
    for (const chunk of module.says) needed.add(chunk);
    for (const next of module.brings) follow(next);
  };
  follow(path);
  const name = relative(HERE, path);
  for (const chunk of needed) if (!chunks.includes(chunk)) findings.add(`${name}: says something of ${chunk}, which is not loaded with it: ${[...found].filter((one) => modules.get(one).says.has(chunk)).map((one) => relative(HERE, one)).join(", ")}`);
  for (const chunk of chunks) if (!needed.has(chunk)) findings.add(`${name}: is loaded with ${chunk}, of which it says nothing`);
}

/** Words that stand where people see them. */
function checkWords(node, file) {
  if (!file.fileName.endsWith(".tsx")) return;
  if (ts.isJsxText(node) && /\p{L}/u.test(node.text)) report(node, `words in the code: ${node.text.trim()}`);
  else if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) checkValue(node.expression);
  else if (ts.isJsxAttribute(node) && SHOWN.test(node.name.getText())) checkValue(ts.isJsxExpression(node.initializer ?? node) ? node.initializer.expression : node.initializer);
  else if (ts.isPropertyAssignment(node) && SHOWN.test(node.name.text ?? "")) checkValue(node.initializer);
}

function checkValue(node) {
  if (node === undefined) return;
  if (ts.isStringLiteralLike(node) && WORDS.test(node.text)) report(node, `words in the code: ${node.text}`);
  else if (ts.isTemplateExpression(node) && [node.head, ...node.templateSpans.map(({ literal }) => literal)].some(({ text }) => WORDS.test(text))) report(node, `words in the code: ${node.getText()}`);
  else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(checkValue);
  else if (ts.isBinaryExpression(node) && CHOOSES.has(node.operatorToken.kind)) [node.left, node.right].forEach(checkValue);
  else if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) checkValue(node.expression);
}

function isCall(node, name) {
  return ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === name;
}

/** The `import(...)` within an expression. */
function imported(node) {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node : ts.forEachChild(node, imported);
}

/** The module that an import names; what is no file of ours has none. */
function pathOf(node, file) {
  const name = ts.isImportDeclaration(node) ? node.moduleSpecifier : node.arguments[0];
  return program.getResolvedModuleFromModuleSpecifier(name, file)?.resolvedModule?.resolvedFileName;
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function report(node, text) {
  const file = node.getSourceFile();
  findings.add(`${relative(HERE, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${text}`);
}
