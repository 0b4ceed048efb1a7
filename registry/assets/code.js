// The code page: takes the token from the address's fragment, counts down, and renews the code before it expires.
// Everything here is a convenience; the page works without it. Written for old web views too.
(function () {
  'use strict';

  var started = { wall: Date.now(), steady: window.performance && performance.now ? performance.now() : 0 };

  // A link such as /code#TOKEN: the fragment never leaves the phone but in the form, and does not stay in the address.
  var fragment = window.location.hash.slice(1);
  var ask = document.getElementById('ask');
  if (ask && /^[A-Za-z0-9_-]{43}$/.test(fragment)) {
    window.history.replaceState(null, '', window.location.pathname);
    if (!document.querySelector('.problem')) {
      document.getElementById('token').value = fragment;
      ask.submit();
      return;
    }
  }
  if (document.getElementById('code')) { begin(); }

  function begin() {
    var card = document.getElementById('code');
    var expires = document.getElementById('expires');
    var seconds = parseInt(card.getAttribute('data-seconds'), 10) || 0;
    // Counted from the registry's difference, so a phone with a wrong clock counts right.
    var end = now() + seconds * 1000;
    // Phones must not all renew at once: each picks its own moment, one to three minutes before the end.
    var renewAt = end - (60 + Math.random() * 120) * 1000;
    var renewing = false;
    expires.innerHTML = '<span class="count" id="count"></span><span lang="en">minutes left</span>';
    expires.insertBefore(document.createTextNode('剩余 '), expires.firstChild);
    var timer = setInterval(tick, 500);
    tick();

    function tick() {
      var left = Math.max(0, Math.ceil((end - now()) / 1000));
      var s = left % 60;
      document.getElementById('count').textContent = Math.floor(left / 60) + ':' + (s < 10 ? '0' : '') + s;
      if (left === 0) {
        card.className = 'card stale';
        document.getElementById('over').hidden = false;
      }
      if (now() >= renewAt && !renewing && !document.hidden) { renew(); }
    }

    function renew() {
      renewing = true;
      var request = new XMLHttpRequest();
      request.open('POST', '/code');
      request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
      request.timeout = 15000;
      request.onload = function () {
        var page = request.status === 200 && new DOMParser().parseFromString(request.responseText, 'text/html').getElementById('page');
        if (!page) { return later(); }
        clearInterval(timer);
        document.getElementById('page').innerHTML = page.innerHTML;
        begin();
      };
      request.onerror = request.ontimeout = later;
      request.send('token=' + encodeURIComponent(document.querySelector('#renew input').value));
    }

    function later() {
      renewing = false;
      renewAt = now() + (10 + Math.random() * 20) * 1000;
    }
  }

  // Milliseconds since the page was opened, by whichever clock says more: one may be set back, the other sleeps with the phone.
  function now() {
    var steady = window.performance && performance.now ? performance.now() - started.steady : 0;
    return Math.max(steady, Date.now() - started.wall);
  }
})();
