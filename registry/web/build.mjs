// Bundles what browsers are given into dist/: `npm run build`. Old web views are served too, hence the targets.
import { build } from 'esbuild';
import { rm, copyFile, mkdir } from 'node:fs/promises';

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
  legalComments: 'linked',
});
await copyFile(new URL('src/icon.svg', import.meta.url).pathname, out + 'icon.svg');
