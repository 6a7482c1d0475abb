//! nginx that returns the same body, where it is installed.

use crate::{
    child::{Child, SOON},
    floor::THREADS,
    http::{Answer, Door},
};
use anyhow::{Result, ensure};
use std::{fs, net::TcpListener, path::Path, process::Command, time::Duration};
use tokio::time::{sleep, timeout};

pub(crate) struct Nginx {
    child: Child,
    pub(crate) door: Door,
    /// For people.
    pub(crate) about: String,
}

impl Nginx {
    /// `None` where there is none.
    pub(crate) async fn start(answer: &Answer, folder: &Path) -> Result<Option<Self>> {
        let Ok(version) = Command::new("nginx").arg("-v").output() else {
            return Ok(None);
        };
        let version = String::from_utf8_lossy(&version.stderr);
        let version = version.trim().trim_start_matches("nginx version: ");
        let body = std::str::from_utf8(answer.body())?;
        ensure!(
            !body.contains(['\'', '$', '\\']),
            "nginx would read it otherwise"
        );
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let user = if nix::unistd::Uid::effective().is_root() {
            "user root;"
        } else {
            ""
        };
        let config = folder.join("nginx.conf");
        let text = format!(
            "daemon off; worker_processes {THREADS}; pid {pid:?}; error_log stderr crit; {user}\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; server {{ listen {address};\n\
             default_type application/json; return 200 '{body}'; }} }}\n",
            pid = folder.join("nginx.pid"),
        );
        fs::write(&config, text)?;
        let child = Child::start(Command::new("nginx").arg("-c").arg(config))?;
        let door = Door::Tcp(address);
        timeout(SOON, async {
            while door.connect(None).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await?;
        Ok(Some(Self {
            child,
            door,
            about: format!("{version}, also of {THREADS} processes, returns the same body"),
        }))
    }

    /// The master's and the workers'.
    pub(crate) fn pids(&self) -> Result<Vec<i32>> {
        let master = self.child.pid();
        let workers = fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
        let workers = workers.split_whitespace().map(str::parse);
        let mut pids = vec![master];
        for worker in workers {
            pids.push(worker?);
        }
        Ok(pids)
    }
}
