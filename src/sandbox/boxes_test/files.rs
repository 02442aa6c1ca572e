//! Files that try to lead the collector astray.

use super::{node, on_each_engine, print, small, start};
use crate::error::Code;
use crate::files::FileSet;
use crate::sandbox::SharedEngine;

on_each_engine!(
    links_are_not_followed,
    odd_names_are_refused,
    too_much_is_refused,
    paths_that_leave_are_refused,
    the_collector_comes_after_all_is_dead,
);

async fn links_are_not_followed(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let script = "const fs = require('fs'); process.chdir('out'); fs.writeFileSync('real.txt', 'real');
        fs.symlinkSync('/etc/passwd', 'a.txt'); fs.symlinkSync('/sandbox/harness', 'folder'); fs.symlinkSync('/proc/1/root', 'up');
        fs.symlinkSync('loop', 'loop'); fs.symlinkSync('/dev/zero', 'zero'); fs.mkdirSync('sub');
        require('net').createServer().listen('sub/socket', () => process.exit(0))";
    print(&mut session, &node(script)).await;
    let got = session.collect(&["out".to_owned()]).await.unwrap();
    assert_eq!(got, FileSet::from([("out/real.txt".to_owned(), b"real".to_vec())]));
    let got = session
        .collect(&["out/folder/Cargo.toml".to_owned(), "out/a.txt".to_owned()])
        .await
        .unwrap();
    assert!(got.is_empty());
    session.close().await;
}

async fn odd_names_are_refused(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    for name in ["a b", ".npmrc", "con", "x\\n", "..."] {
        let script = format!(
            "require('fs').rmSync('out/d', {{recursive:true,force:true}}); require('fs').mkdirSync('out/d');
            require('fs').writeFileSync('out/d/{name}', '')"
        );
        print(&mut session, &node(&script)).await;
        assert_eq!(
            session.collect(&["out".to_owned()]).await.unwrap_err().code(),
            Code::PathRefused,
            "{name}"
        );
        // The rest of that answer is lost, so the box is used up.
        session.close().await;
        session = start(&engine, &small()).await;
    }
    session.close().await;
}

async fn too_much_is_refused(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let many = "for (let i = 0; i < 10050; i++) require('fs').writeFileSync('out/f' + i, '')";
    print(&mut session, &node(many)).await;
    let error = session.collect(&["out".to_owned()]).await.unwrap_err();
    assert!(error.message().contains("too many"), "{error}");
    let sparse = "const fs = require('fs'); fs.readdirSync('out').forEach(f => fs.unlinkSync('out/' + f));
        for (let i = 0; i < 40; i++) fs.truncateSync(fs.openSync('out/s' + i, 'w'), 4 << 20)";
    print(&mut session, &node(sparse)).await;
    let error = session.collect(&["out".to_owned()]).await.unwrap_err();
    assert!(error.message().contains("too many bytes"), "{error}");
    let deep = "const fs = require('fs'); fs.readdirSync('out').forEach(f => fs.unlinkSync('out/' + f));
        fs.mkdirSync('out/' + 'd/'.repeat(40), { recursive: true })";
    print(&mut session, &node(deep)).await;
    assert!(session.collect(&["out".to_owned()]).await.is_err());
    session.close().await;
}

async fn paths_that_leave_are_refused(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    for path in ["../x", "/etc/x", "out/x", "out", "a/../../b", ".git/config", "a\0b", ""] {
        let files = FileSet::from([(path.to_owned(), vec![1])]);
        assert_eq!(
            session.put(&files).await.unwrap_err().code(),
            Code::PathRefused,
            "{path:?}"
        );
    }
    for path in ["../x", "/etc/passwd", "", "a/../.."] {
        assert_eq!(
            session.collect(&[path.to_owned()]).await.unwrap_err().code(),
            Code::PathRefused,
            "{path:?}"
        );
    }
    let big = FileSet::from([("big".to_owned(), vec![0; 9 << 20])]);
    assert_eq!(session.put(&big).await.unwrap_err().code(), Code::OptionInvalid);
    print(&mut session, &node("0")).await;
    session.close().await;
}

async fn the_collector_comes_after_all_is_dead(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let racer = "const fs = require('fs'); fs.writeFileSync('out/x', 'mine'); for (;;) { try { fs.unlinkSync('out/y') } catch {}
        try { fs.symlinkSync('/etc/passwd', 'out/y'); fs.renameSync('out/y', 'out/x') } catch {}
        fs.writeFileSync('out/z', 'mine'); fs.renameSync('out/z', 'out/x') }";
    let script = format!(
        "require('child_process').spawn('node', ['-e', {racer:?}], {{ detached: true, stdio: 'ignore' }}).unref();
        setTimeout(() => process.exit(0), 300)"
    );
    print(&mut session, &node(&script)).await;
    let first = session.collect(&["out".to_owned()]).await.unwrap();
    assert_eq!(
        session.collect(&["out".to_owned()]).await.unwrap(),
        first,
        "nothing moves any more"
    );
    assert!(
        first.values().all(|bytes| bytes == b"mine" || bytes.is_empty()),
        "{first:?}"
    );
    session.close().await;
}
