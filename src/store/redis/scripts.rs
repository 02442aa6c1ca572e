//! The scripts of `src/store/redis/lua/`.

use std::sync::LazyLock;

use redis::{Cmd, Script};

use super::PREFIX;

macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)+) => {
        $(pub static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("lua/common.lua"),
                "\n",
                include_str!("lua/packed.lua"),
                $("\n", include_str!(concat!("lua/", $file, ".lua"))),+
            ))
        });)+
    };
}

scripts! {
    ADD = "ending" "adding" "add";
    BEGIN = "begin";
    CANCEL = "ending" "cancel";
    CLAIM = "limits" "claim";
    CLEAN = "clean";
    COUNTS = "counts";
    FINISH = "ending" "finish";
    FIRE = "ending" "adding" "schedules" "fire";
    GET = "get";
    LIMITS_PRUNE = "limits" "limits_prune";
    LIST = "list";
    OLD_JOBS = "old_jobs";
    OLD_JOBS_MOVE = "old_jobs_move";
    OLD_LEASES = "old_leases";
    PROMOTE = "ending" "schedules" "promote";
    PRUNE = "prune";
    RENEW = "renew";
    REPORT = "report";
    RESCUE = "ending" "rescue";
    RESTORE = "restore";
    RETRY = "retry";
    SCHEDULE_LIST = "schedules" "schedule_list";
    SCHEDULE_REMOVE = "schedules" "schedule_remove";
    SCHEDULE_SET = "schedules" "schedule_set";
    STATE_LIST = "state_list";
    STATE_SET = "state_set";
}

/// A call of the script, to which its arguments are added.
pub fn call(script: &Script) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(PREFIX);
    command
}
