//! How many connections there may be at once, and who goes when one more comes.

use super::{
    Terms,
    standing::{Standing, Turns},
};
use crate::auth::household;
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whose connections are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Client {
    Address(IpAddr),
    User(u32),
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::User(uid) => write!(f, "uid={uid}"),
        }
    }
}

impl Client {
    pub(super) fn at(address: IpAddr) -> Self {
        Self::Address(household(address))
    }
}

/// The connections of one kind of listener.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Room>);

#[derive(Debug)]
struct Room {
    seats: Mutex<Seats>,
    turns: Arc<Turns>,
    /// Ends every connection.
    cut: CancellationToken,
}

#[derive(Debug, Default)]
struct Seats {
    taken: HashMap<u64, Seat>,
    crowds: HashMap<Client, Crowd>,
    /// How many strangers each client has, for finding the largest crowd: in a
    /// flood that is done for each connection.
    sizes: BTreeSet<Size>,
}

/// Of a crowd's strangers: how many they are, who came first, and whose. The
/// greatest is the largest crowd, of several the one that has been there longest.
type Size = (usize, Reverse<u64>, Client);

#[derive(Debug)]
struct Seat {
    client: Client,
    standing: Standing,
    cut: CancellationToken,
}

/// The seats of one client.
#[derive(Debug, Default)]
struct Crowd {
    seats: usize,
    /// Of these, those that were not known when last looked at; by arrival.
    strangers: BTreeSet<u64>,
}

/// One connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    room: Arc<Room>,
    pub(super) standing: Standing,
    /// Cancelled when the connection has to go at once.
    pub(super) cut: CancellationToken,
    /// Who went for it.
    pub(super) evicted: Option<Client>,
}

impl Places {
    /// `cut` ends them all.
    pub(super) fn new(cut: CancellationToken) -> Self {
        Self(Arc::new(Room {
            seats: Mutex::default(),
            turns: Arc::default(),
            cut,
        }))
    }

    /// Waits until there is room for one more, or somebody who can go for it,
    /// under the terms as they are then.
    pub(super) async fn free(&self, terms: &mut watch::Receiver<Arc<Terms>>) {
        let quiet = self.0.turns.listen();
        loop {
            let moved = quiet.next();
            let limit = terms.borrow_and_update().max_connections;
            {
                let mut seats = self.0.seats();
                if seats.taken.len() < limit || seats.least().is_some() {
                    return;
                }
            }
            tokio::select! {
                () = moved => {}
                () = changed(terms) => {}
            }
        }
    }

    /// Seats a client; whoever matters least goes for it when all seats are
    /// taken. `None` when the client has as many as one may have and all of
    /// them are at work; `may_crowd` exempts it from that limit.
    pub(super) fn take(&self, client: Client, may_crowd: bool, terms: &Terms) -> Option<Place> {
        let mut seats = self.0.seats();
        let mut evicted = None;
        if !may_crowd && seats.of(client) >= terms.max_connections_per_client {
            let own = seats
                .stranger_of(client)
                .or_else(|| seats.quiet(|seat| seat.client == client))?;
            evicted = seats.evict(own);
        }
        // A reload may have lowered the limit below what is open: what is at
        // work then is let go by and by.
        while seats.taken.len() >= terms.max_connections
            && let Some(other) = seats.least()
        {
            evicted = seats.evict(other);
        }
        let number = self.0.turns.take();
        let place = Place {
            number,
            room: Arc::clone(&self.0),
            standing: Standing::new(number, Arc::clone(&self.0.turns)),
            cut: self.0.cut.child_token(),
            evicted,
        };
        let seat = Seat {
            client,
            standing: place.standing.clone(),
            cut: place.cut.clone(),
        };
        seats.sit(number, seat);
        Some(place)
    }
}

impl Room {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crowd {
    /// `None` without strangers.
    fn size(&self, client: Client) -> Option<Size> {
        let first = *self.strangers.first()?;
        Some((self.strangers.len(), Reverse(first), client))
    }
}

impl Seats {
    /// How many seats a client has.
    fn of(&self, client: Client) -> usize {
        self.crowds.get(&client).map_or(0, |crowd| crowd.seats)
    }

    /// Who can go, and matters least: of the strangers, who have shown no good
    /// key yet, the first to come out of the largest crowd; without any, the one
    /// that has been quiet the longest. Nobody whose good request is being
    /// answered.
    fn least(&mut self) -> Option<u64> {
        while let Some((.., client)) = self.sizes.last().copied() {
            if let Some(stranger) = self.stranger_of(client) {
                return Some(stranger);
            }
        }
        self.quiet(|_| true)
    }

    fn stranger_of(&mut self, client: Client) -> Option<u64> {
        loop {
            let number = *self.crowds.get(&client)?.strangers.first()?;
            if !self.taken.get(&number)?.standing.is_known() {
                return Some(number);
            }
            // It has become known meanwhile.
            self.change(client, |crowd| {
                crowd.strangers.remove(&number);
            });
        }
    }

    fn quiet(&self, among: impl Fn(&Seat) -> bool) -> Option<u64> {
        self.taken
            .iter()
            .filter(|(_, seat)| among(seat) && !seat.standing.is_answering())
            .min_by_key(|(_, seat)| seat.standing.heard())
            .map(|(number, _)| *number)
    }

    fn sit(&mut self, number: u64, seat: Seat) {
        self.change(seat.client, |crowd| {
            crowd.seats += 1;
            crowd.strangers.insert(number);
        });
        self.taken.insert(number, seat);
    }

    fn evict(&mut self, number: u64) -> Option<Client> {
        let seat = self.leave(number)?;
        seat.cut.cancel();
        Some(seat.client)
    }

    fn leave(&mut self, number: u64) -> Option<Seat> {
        let seat = self.taken.remove(&number)?;
        self.change(seat.client, |crowd| {
            crowd.seats -= 1;
            crowd.strangers.remove(&number);
        });
        Some(seat)
    }

    /// Changes a crowd, and what is known of its size.
    fn change(&mut self, client: Client, change: impl FnOnce(&mut Crowd)) {
        let crowd = self.crowds.entry(client).or_default();
        if let Some(size) = crowd.size(client) {
            self.sizes.remove(&size);
        }
        change(crowd);
        self.sizes.extend(crowd.size(client));
        if crowd.seats == 0 {
            self.crowds.remove(&client);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // One that was evicted has left already.
        self.room.seats().leave(self.number);
        self.room.turns.moved();
    }
}

/// Waits for a reload; for ever when there will be none.
async fn changed(terms: &mut watch::Receiver<Arc<Terms>>) {
    if terms.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn terms(max_connections: usize) -> Arc<Terms> {
        Arc::new(Terms {
            max_connections,
            max_connections_per_client: 3,
            ..Terms::default()
        })
    }

    fn client(number: u8) -> Client {
        Client::at(IpAddr::from([192, 0, 2, number]))
    }

    fn seat(places: &Places, number: u8, terms: &Terms) -> Place {
        let place = places.take(client(number), false, terms);
        place.expect("room")
    }

    #[tokio::test(start_paused = true)]
    async fn room_comes_from_a_leave_a_pause_or_a_reload() {
        let (set, mut now) = watch::channel(terms(1));
        let places = Places::new(CancellationToken::new());
        let full = async |now: &mut _| {
            let free = timeout(Duration::from_secs(1), places.free(now)).await;
            free.is_err()
        };
        let first = seat(&places, 1, &terms(1));
        assert!(!full(&mut now).await, "a stranger can go");
        first.standing.acquaintance().make(true);
        assert!(!full(&mut now).await, "a quiet one can go");
        let answering = first.standing.begin();
        assert!(full(&mut now).await);
        set.send_replace(terms(2));
        assert!(!full(&mut now).await);
        let second = seat(&places, 2, &terms(2));
        second.standing.acquaintance().make(true);
        let _working = second.standing.begin();
        assert!(full(&mut now).await);
        let (free, ()) = tokio::join!(
            timeout(Duration::from_secs(1), places.free(&mut now)),
            async { drop(answering) }
        );
        free.expect("the first one is quiet");
        assert!(!first.cut.is_cancelled() && !second.cut.is_cancelled());
    }

    #[test]
    fn the_largest_crowd_of_strangers_goes_first() {
        let terms = terms(6);
        let places = Places::new(CancellationToken::new());
        let known = seat(&places, 1, &terms);
        known.standing.acquaintance().make(true);
        let lone = seat(&places, 2, &terms);
        let crowd: Vec<_> = (0..3).map(|_| seat(&places, 3, &terms)).collect();
        let gone = |place: &Place| place.cut.is_cancelled();
        let newcomer = seat(&places, 4, &terms);
        assert!(!crowd.iter().any(gone), "there was room");
        let _next = seat(&places, 5, &terms);
        assert!(gone(&crowd[0]) && !gone(&crowd[1]) && !gone(&crowd[2]));
        let _next = seat(&places, 6, &terms);
        assert!(gone(&crowd[1]));
        let _next = seat(&places, 7, &terms);
        assert!(gone(&lone), "now the oldest stranger");
        assert!(!gone(&known) && !gone(&newcomer));
    }

    #[test]
    fn one_client_gets_no_more_than_its_share() {
        let terms = terms(100);
        let places = Places::new(CancellationToken::new());
        let mine: Vec<_> = (0..3).map(|_| seat(&places, 1, &terms)).collect();
        let other = seat(&places, 2, &terms);
        for place in &mine {
            place.standing.acquaintance().make(true);
        }
        let first = mine[0].standing.begin();
        let fourth = seat(&places, 1, &terms);
        assert!(mine[1].cut.is_cancelled(), "the one quiet for longest");
        assert!(!other.cut.is_cancelled());
        fourth.standing.acquaintance().make(true);
        let work = [fourth.standing.begin(), mine[2].standing.begin()];
        assert!(places.take(client(1), false, &terms).is_none());
        assert!(places.take(client(1), true, &terms).is_some());
        drop((first, work));
    }

    #[test]
    fn everything_is_given_back() {
        let terms = terms(2);
        let places = Places::new(CancellationToken::new());
        for round in 0..10 {
            drop((
                seat(&places, round, &terms),
                seat(&places, 1, &terms),
                seat(&places, 2, &terms),
            ));
        }
        let seats = places.0.seats();
        assert!(seats.taken.is_empty() && seats.crowds.is_empty() && seats.sizes.is_empty());
    }
}
