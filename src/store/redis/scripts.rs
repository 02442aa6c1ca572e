//! The scripts of `src/store/redis/lua/`.

use std::sync::LazyLock;

use redis::{Cmd, Script};

use super::PREFIX;

macro_rules! scripts {
    ($($name:ident = $file:literal;)+) => {
        $(pub static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("lua/common.lua"), "\n", include_str!(concat!("lua/", $file, ".lua"))))
        });)+
    };
}

scripts! {
    ADD = "add";
    CANCEL = "cancel";
    CLAIM = "claim";
    CLEAN = "clean";
    COUNTS = "counts";
    FINISH = "finish";
    GET = "get";
    LIST = "list";
    PROMOTE = "promote";
    PRUNE = "prune";
    RENEW = "renew";
    REPORT = "report";
    RESCUE = "rescue";
    RESTORE = "restore";
    RETRY = "retry";
}

/// A call of the script, to which its arguments are added.
pub fn call(script: &Script) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(PREFIX);
    command
}
