// Registering, the code, a look at one's data, a change of them; with script and without, in both languages, on a phone and a desk.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { City, DESK, PHONE, close, contactSheet, picture, visitor } from './city.mjs';

let city;
before(async () => { city = await City.start(); });
after(async () => { await contactSheet(); await close(); city.stop(); });

let numbers = 0;
/** A number with a right check digit that nobody has yet. */
function number() {
  const first = `61011219880808${String(100 + numbers++).padStart(3, '0')}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = [...first].reduce((sum, digit, at) => sum + Number(digit) * weights[at], 0);
  return first + '10X98765432'[sum % 11];
}
let phones = 0;
const phone = () => `1531234${String(1000 + phones++)}`;

async function agree(page) {
  await page.goto(`${city.address}/register`);
  await page.check('#agree');
  await page.click('main button[type=submit]');
  await page.waitForURL('**/register/form');
}

/** Asks for a code: by the slide where there is script, by the button where there is none. */
async function askCode(page, script, phone) {
  if (script) {
    const grip = page.locator('.slide button');
    await grip.scrollIntoViewIfNeeded();
    const box = await grip.boundingBox();
    const track = await page.locator('.slide').boundingBox();
    await page.mouse.move(box.x + 10, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(track.x + track.width, box.y + 10, { steps: 8 });
    await page.mouse.up();
    await page.locator('.done').first().waitFor();
  } else {
    await page.click('button[value=code]');
  }
  return city.code(phone);
}

async function fill(page, { name, number, phone, script }) {
  await page.fill('#name', name);
  await page.selectOption('#document_kind', 'resident_id');
  await page.fill('#document_number', number);
  await page.check('input[name=gender][value=female]');
  await page.fill('#phone', phone);
  const code = await askCode(page, script, phone);
  await page.fill('#code', code);
  await page.fill('#search', '曲江');
  if (script) await page.locator('#results input').first().waitFor();
  else await page.click('button[value=search]');
  if (!script) await page.fill('#code', code);
  await page.check('#results input');
  await page.fill('#building', '3号楼');
  await page.fill('#door', '1204');
  await page.fill('#plates', '陕AD12345');
}

for (const lang of ['zh', 'en']) {
  for (const [size, at] of [[PHONE, 'phone'], [DESK, 'desk']]) {
    for (const script of [true, false]) {
      const shot = (page, name) => picture(page, `${name}-${lang}-${at}${script ? '' : '-plain'}`);
      test(`somebody registers: ${lang}, ${at}, script ${script}`, async () => {
        const page = await visitor({ lang, size, script });
        const mine = { name: '周小明', number: number(), phone: phone(), script };
        await page.goto(city.address);
        await shot(page, '01-home');
        await agree(page);
        await shot(page, '02-form');
        // Everything that is missing is told, and nothing typed is lost.
        await page.fill('#name', mine.name);
        await page.fill('#document_number', '610112198808080011');
        await page.locator('main button[value=next]').last().click();
        await page.locator('#problems').waitFor();
        assert.equal(await page.inputValue('#name'), mine.name);
        await shot(page, '03-problems');
        await page.reload();
        assert.equal(await page.inputValue('#name'), mine.name);
        await fill(page, mine);
        await shot(page, '04-filled');
        await page.locator('main button[value=next]').last().click();
        await page.locator('form[action="/register/confirm"]').waitFor();
        assert.match(await page.innerText('main'), /曲江池小区/);
        await shot(page, '05-confirm');
        await page.goto(`${city.address}/register/confirm`);
        await page.click('main form button');
        await page.waitForURL('**/code');
        await page.locator('#picture svg').waitFor();
        assert.match(await page.innerText('#whose'), /^周\*/);
        await shot(page, '06-code');
        await page.goto(`${city.address}/me`);
        const shown = await page.innerText('main');
        for (const secret of [mine.number, mine.phone, mine.name, '陕AD12345', '1204']) assert.ok(!shown.includes(secret), secret);
        assert.match(shown, lang === 'zh' ? /正常/ : /In order/);
        await shot(page, '07-me');
        await page.goto(`${city.address}/me/change`);
        await page.fill('#door', '0803');
        await shot(page, '08-change');
        await page.locator('main button[value=next]').last().click();
        await page.waitForURL(/\/me$/).catch(() => page.goto(`${city.address}/me`));
        await page.goto(`${city.address}/me/history`);
        assert.match(await page.innerText('main'), lang === 'zh' ? /修改：门牌号/ : /Changed: door/);
        await shot(page, '09-history');
        assert.deepEqual(page.faults, []);
        await page.context().close();
      });
    }
  }
}

test('the code works on where there is no network, and a real gate lets it in', async () => {
  const page = await visitor();
  await agree(page);
  await fill(page, { name: '王芳', number: number(), phone: phone(), script: true });
  await page.locator('main button[value=next]').last().click();
  await page.locator('form[action="/register/confirm"] button').click();
  await page.waitForURL('**/code');
  const live = await city.decide(page, 'live');
  assert.deepEqual(live, { verdict: 'pass', reason: 'fresh' });
  await page.locator('#code[data-carries=yes]').waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.context().setOffline(true);
  await page.goto(`${city.address}/code`);
  await page.locator('#picture svg').waitFor();
  assert.match(await page.innerText('main'), /手机自己签的码/);
  assert.match(await page.innerText('#whose'), /^王\*/);
  await picture(page, '11-carried-zh-phone');
  const carried = await city.decide(page, 'carried');
  assert.deepEqual(carried, { verdict: 'pass', reason: 'fresh' });
  // Back with a network, the registry's own code is there again.
  await page.context().setOffline(false);
  await page.goto(`${city.address}/code`);
  await page.locator('#code[data-seconds]').waitFor();
  assert.ok(await page.locator('#carried').isHidden());
});

/** The handle in a code (PASS-FORMAT: bytes 3 to 6 of every kind). */
function handle(code) {
  const bits = [...code.slice(4, 16)].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  return parseInt(bits.slice(24, 56), 2);
}

test('on a phone that two people use, nobody shows the code of the other', async () => {
  const page = await visitor();
  const begin = async (name) => {
    await agree(page);
    await fill(page, { name, number: number(), phone: phone(), script: true });
    await page.locator('main button[value=next]').last().click();
    await page.locator('form[action="/register/confirm"] button').click();
    await page.waitForURL('**/code');
    await page.locator('#code[data-carries=yes]').waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready);
    return handle(await city.read(page, 'two-live'));
  };
  const offline = async () => {
    await page.context().setOffline(true);
    await page.goto(`${city.address}/code`);
  };
  const first = await begin('赵甲');
  // The same masked name, and the session only ends at the registry.
  await page.context().clearCookies();
  const second = await begin('赵乙');
  assert.notEqual(first, second);
  await offline();
  await page.locator('#picture svg').waitFor();
  assert.equal(handle(await city.read(page, 'two-carried')), second);
  await page.context().setOffline(false);
  await page.goto(city.address);
  await page.click('form[action="/leave"] button');
  await page.locator('a[href="/register"]').waitFor();
  await offline();
  await page.locator('#none:not([hidden])').waitFor();
  assert.equal(await page.locator('#picture svg').count(), 0);
});

test('a registered phone gets in by a code, on another browser', async () => {
  const mine = phone();
  const first = await visitor();
  await agree(first);
  await fill(first, { name: '李芳', number: number(), phone: mine, script: true });
  await first.locator('main button[value=next]').last().click();
  await first.locator('form[action="/register/confirm"] button').click();
  await first.waitForURL('**/code');
  const other = await visitor();
  await other.goto(`${city.address}/enter`);
  await other.fill('#phone', mine);
  const before = await city.code(mine);
  await picture(other, '10-enter-zh-phone');
  // One message a minute to one phone.
  await other.click('button[value=code]');
  await other.locator('.problems').waitFor();
  assert.match(await other.innerText('.problems'), /请求太频繁/);
  assert.match(before, /^\d{6}$/);
  assert.deepEqual(other.faults, []);
});

