// What the tests of the pages share: a registry with its server, a browser as residents have them, and a contact sheet of what was seen.
import { spawn, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = new URL('../../../', import.meta.url).pathname;
export const BIN = path.resolve(ROOT, process.env.BIN ?? 'target/debug');
export const PICTURES = path.join(ROOT, 'target/pages');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1280, height: 800 };

/** A registry with a server of its own. */
export class City {
  static async start(...more) {
    const city = new City();
    city.folder = mkdtempSync(path.join(tmpdir(), 'pages-'));
    city.data = path.join(city.folder, 'registry');
    city.run('init');
    city.run('community', 'add', '2', '曲江池小区');
    city.run('community', 'add', '3', '高新花园');
    city.server = spawn(`${BIN}/tongguan-registry`, ['--data', city.data, '--json', 'serve', '--dev', '--listen', '127.0.0.1:0', ...more],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    city.log = '';
    city.server.stderr.on('data', (data) => { city.log += data; });
    const [line] = await once(createInterface(city.server.stdout), 'line');
    city.address = `http://${JSON.parse(line).listening}`;
    return city;
  }

  run(...words) {
    const said = execFileSync(`${BIN}/tongguan-registry`, ['--data', this.data, '--json', ...words], { encoding: 'utf8' });
    return said.trim() ? JSON.parse(said.trim().split('\n')[0]) : null;
  }

  /** What a real gate says to the code on a page. */
  async decide(page, name) {
    if (!this.gate) {
      this.gate = path.join(this.folder, 'gate');
      const gate = (...words) => execFileSync(`${BIN}/tongguan`, [...words, '--data', this.gate], { encoding: 'utf8', stdio: 'pipe' });
      gate('init', '--registry', this.address, '--root', path.join(this.data, 'root.pub'));
      gate('sync');
    }
    const text = await this.read(page, name);
    const said = execFileSync(`${BIN}/tongguan`, ['verify', '--data', this.gate, '--json', text], { encoding: 'utf8', stdio: 'pipe' });
    const { verdict, reason } = JSON.parse(said);
    return { verdict, reason };
  }

  /** The text of the code on a page, as our own decoder sees it. */
  async read(page, name) {
    const shot = path.join(this.folder, `${name}.png`);
    // Two device pixels a CSS pixel, as phones have.
    await page.locator('#picture').screenshot({ path: shot });
    const read = execFileSync(`${BIN}/tongguan`, ['decode', shot, '--json'], { encoding: 'utf8', stdio: 'pipe' });
    const [{ text }] = read.trim().split('\n').map((line) => JSON.parse(line)).flatMap((line) => line.codes ?? [line]);
    return text;
  }

  /** The newest code that was sent to a phone. */
  async code(phone) {
    for (let tries = 0; tries < 100; tries++) {
      const page = await (await fetch(`${this.address}/dev/inbox`)).text();
      const found = page.match(new RegExp(`\\+?${phone.replace('+', '\\+')}</span><span>[^<]*?(\\d{6})`));
      if (found) return found[1];
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`no message for ${phone}`);
  }

  stop() {
    this.server.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function once(emitter, event) {
  return new Promise((resolve) => { emitter.once(event, (...what) => resolve(what)); });
}

let browser;

/** A browser with nothing in it, that fails on errors of script and on what the policy of the page forbids. */
export async function visitor({ lang = 'zh', size = PHONE, script = true, ...more } = {}) {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  const context = await browser.newContext({
    viewport: size,
    locale: lang === 'zh' ? 'zh-CN' : 'en-GB',
    javaScriptEnabled: script,
    isMobile: size === PHONE,
    hasTouch: size === PHONE,
    deviceScaleFactor: 1,
    ...more,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (message) => {
    // htmx says so of each request that a later one replaces.
    const expected = /net::ERR|htmx:(sendAbort|afterRequest)|status of (401|422)/;
    if (message.type() === 'error' && !expected.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

export async function close() {
  await browser?.close();
  browser = undefined;
}

mkdirSync(PICTURES, { recursive: true });

/** A picture of the whole page for the contact sheet. */
export async function picture(page, name) {
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
}

/** One page with all pictures, and a picture of it. */
export async function contactSheet() {
  const names = readdirSync(PICTURES).filter((name) => name.endsWith('.png') && !name.startsWith('index')).sort();
  const cell = (name) => `<figure><img src="${name}"><figcaption>${name.replace('.png', '')}</figcaption></figure>`;
  const style = 'body{display:flex;flex-wrap:wrap;gap:12px;font:12px sans-serif;align-items:flex-start}figure{margin:0}img{width:240px;border:1px solid #888}';
  const file = path.join(PICTURES, 'index.html');
  writeFileSync(file, `<!doctype html><meta charset=utf-8><style>${style}</style>${names.map(cell).join('')}`);
  const page = await visitor({ size: { width: 1600, height: 900 } });
  await page.goto(`file://${file}`);
  await page.screenshot({ path: path.join(PICTURES, 'index.png'), fullPage: true });
}
