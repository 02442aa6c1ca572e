//! Removing containers: one, those of an engine, and those that a dead owner left behind.

use std::collections::HashMap;

use bollard::Docker;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};

use super::fault;
use crate::error::{Code, Error, Result};
use crate::sandbox::owner::{self, Owner};

/// Marks our containers and says whose they are.
pub const OWNER: &str = "auton8n.owner";
/// Which engine of its process made it.
pub const ENGINE: &str = "auton8n.engine";

/// How often it is asked whether a removal that is on the way is over: for 10 seconds.
const PATIENCE: u32 = 500;

/// Kills and removes a container, and waits until it is gone.
pub async fn remove(docker: &Docker, id: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    for _ in 0..PATIENCE {
        match docker.remove_container(id, Some(options.clone())).await {
            // It is gone, by us or because the engine removes it when it ends.
            Ok(()) | Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(()),
            // Its removal is on the way.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err(error) => return Err(fault("cannot remove the container", error)),
        }
    }
    Err(Error::new(
        Code::SandboxFailed,
        "the engine did not remove the container",
    ))
}

/// Removes every container of one engine.
pub async fn remove_all(docker: &Docker, engine: &str) {
    for container in list(docker, &format!("{ENGINE}={engine}")).await.unwrap_or_default() {
        if let Some(id) = container.id {
            let _ = remove(docker, &id).await;
        }
    }
}

async fn list(docker: &Docker, label: &str) -> Result<Vec<ContainerSummary>> {
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    docker
        .list_containers(Some(options))
        .await
        .map_err(|error| fault("cannot list containers", error))
}

/// Removes the containers whose owner is certainly dead; tells how many.
pub async fn sweep(docker: &Docker) -> Result<usize> {
    let all = list(docker, OWNER).await?;
    let this = Owner::this();
    let mut swept = 0;
    for container in all {
        let owner = container
            .labels
            .as_ref()
            .and_then(|labels| labels.get(OWNER))
            .and_then(|label| Owner::parse(label));
        if let (Some(id), Some(owner)) = (container.id, owner)
            && owner.is_dead(&this, owner::start_of)
            && remove(docker, &id).await.is_ok()
        {
            swept += 1;
        }
    }
    Ok(swept)
}
