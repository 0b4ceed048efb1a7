// Bundles what browsers are given into dist/: `npm run build`. Old web views are served too, hence the targets.
import { build } from 'esbuild';
import { rm, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';

const out = new URL('dist/', import.meta.url).pathname;
const target = ['chrome61', 'firefox60', 'safari11'];

await rm(out, { recursive: true, force: true });
await mkdir(out);
await build({
  entryPoints: { app: 'src/app.ts', code: 'src/code.ts', sw: 'src/sw.ts', style: 'src/style.css' },
  absWorkingDir: new URL('.', import.meta.url).pathname,
  outdir: out,
  bundle: true,
  minify: true,
  format: 'iife',
  target,
  // Whole since Chrome 49 and Safari 10, but for a corner of the standard that nothing here goes near.
  supported: { destructuring: true },
  legalComments: 'none',
});
await copyFile(new URL('src/icon.svg', import.meta.url).pathname, out + 'icon.svg');

// What is bundled comes with its licences: browsers are given copies.
const bundled = { weui: 'LICENSE.txt', 'htmx.org': 'LICENSE', 'altcha-lib': 'LICENSE.txt', 'qrcode-generator': 'dist/qrcode.mjs' };
const texts = await Promise.all(Object.entries(bundled).map(async ([name, file]) => {
  const text = await readFile(new URL(`node_modules/${name}/${file}`, import.meta.url), 'utf8');
  // This one has its notice at the top of its source, and names the MIT licence, which stands in the others whole.
  const notice = file.endsWith('.mjs') ? text.split('\n').filter((line, at) => at < 20 && line.startsWith('//')).join('\n') : text;
  return `${name}\n\n${notice.trim()}\n`;
}));
await writeFile(out + 'licenses.txt', texts.join('\n----\n\n'));
