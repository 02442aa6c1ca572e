//! Opens a data directory: as its owner, or through the process that owns it; or a store on a
//! server. Several openings within one process share one store.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::hub::{Hub, HubOptions};
use super::socket::{self, Methods, Peer, QueueMethods};
use crate::clock::SharedClock;
use crate::error::{Code, Error, Result};
use crate::store::{self, DataDirectory, Held, SqliteStore, StoreUrl};

/// How long an owner may take to start serving, or to go.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(25);

/// How a data directory is reached.
pub enum Access {
    /// This process owns it.
    Owner(Owner),
    /// Another one does.
    Served(Peer),
}

/// One opening of a directory that this process owns. The store is closed with the last of them.
pub struct Owner {
    home: Arc<Home>,
    open: AtomicBool,
}

struct Home {
    hub: Hub,
    methods: Arc<Methods>,
    serving: CancellationToken,
    users: AtomicUsize,
    slot: Slot,
}

/// Held while a directory is opened or closed, so that this happens once at a time.
type Slot = Arc<tokio::sync::Mutex<Weak<Home>>>;

/// The one process-wide thing: a lock file cannot be held twice by one process.
static HOMES: LazyLock<Mutex<HashMap<Place, Slot>>> = LazyLock::new(Mutex::default);

/// What is opened once by a process.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    File(PathBuf),
    Server(StoreUrl),
}

/// Opens a store on a server, which other processes use too. Of all openings of this process the shortest lease counts.
pub async fn open_server(url: &StoreUrl, clock: &SharedClock, options: HubOptions) -> Result<Owner> {
    let slot = HOMES.lock().entry(Place::Server(url.clone())).or_default().clone();
    let mut home = slot.lock().await;
    if let Some(home) = home.upgrade() {
        home.users.fetch_add(1, Ordering::AcqRel);
        home.hub.lease_at_most(options.lease);
        return Ok(Owner {
            home,
            open: AtomicBool::new(true),
        });
    }
    let store = store::open_server(url).await?;
    let hub = match Hub::open_shared(store.clone(), clock.clone(), options).await {
        Ok(hub) => hub,
        Err(error) => {
            store.close().await;
            return Err(error);
        }
    };
    let new = Arc::new(Home {
        hub,
        methods: Arc::default(),
        serving: CancellationToken::new(),
        users: AtomicUsize::new(1),
        slot: slot.clone(),
    });
    *home = Arc::downgrade(&new);
    Ok(Owner {
        home: new,
        open: AtomicBool::new(true),
    })
}

/// Opens a directory. Of all openings of this process the shortest lease counts.
pub async fn open(directory: &DataDirectory, clock: &SharedClock, options: HubOptions) -> Result<Access> {
    let slot = HOMES
        .lock()
        .entry(Place::File(directory.database()))
        .or_default()
        .clone();
    let mut home = slot.lock().await;
    if let Some(home) = home.upgrade() {
        home.users.fetch_add(1, Ordering::AcqRel);
        home.hub.lease_at_most(options.lease);
        return Ok(Access::Owner(Owner {
            home,
            open: AtomicBool::new(true),
        }));
    }
    let started = Instant::now();
    loop {
        if let Some(held) = directory.hold()? {
            let new = own(directory, held, clock, options, slot.clone()).await?;
            *home = Arc::downgrade(&new);
            return Ok(Access::Owner(Owner {
                home: new,
                open: AtomicBool::new(true),
            }));
        }
        if let Some(peer) = socket::connect(directory).await? {
            return Ok(Access::Served(peer));
        }
        if started.elapsed() > PATIENCE {
            return Err(Error::new(
                Code::StoreBusy,
                format!(
                    "another process owns the data directory {} and does not answer; stop it, or use another directory",
                    directory.path().display()
                ),
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn own(
    directory: &DataDirectory,
    held: Held,
    clock: &SharedClock,
    options: HubOptions,
    slot: Slot,
) -> Result<Arc<Home>> {
    let store = Arc::new(SqliteStore::open(directory, held, clock.now_ms()).await?);
    let hub = Hub::open(store, clock.clone(), options, true).await?;
    let methods = Arc::new(Methods::default());
    methods.add("queue.", QueueMethods::new(&hub));
    let serving = CancellationToken::new();
    socket::serve(directory, methods.clone(), serving.clone())?;
    Ok(Arc::new(Home {
        hub,
        methods,
        serving,
        users: AtomicUsize::new(1),
        slot,
    }))
}

impl Owner {
    /// The store's timers, from which queues are opened.
    pub fn hub(&self) -> &Hub {
        &self.home.hub
    }

    /// What other processes may ask; add to it what they shall.
    pub fn methods(&self) -> &Arc<Methods> {
        &self.home.methods
    }

    /// Ends this opening; the last one closes the store and lets go of the directory. Workers
    /// are stopped before.
    pub async fn close(&self) {
        let slot = self.home.slot.clone();
        let mut home = slot.lock().await;
        if self.open.swap(false, Ordering::AcqRel) && self.home.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.home.end();
            self.home.hub.close().await;
            *home = Weak::new();
        }
    }
}

impl Home {
    fn end(&self) {
        self.serving.cancel();
        // They hold the hub.
        self.methods.clear();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if *self.open.get_mut() {
            self.home.users.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.end();
    }
}
