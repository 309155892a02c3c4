//! What waits for the writer of a back end, and where each answer goes.

use std::collections::VecDeque;

use tokio::sync::{mpsc, oneshot};

use crate::batch::Wanted;
use crate::change::{Change, Committed, Side};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;
type Reply<T> = oneshot::Sender<Answer<T>>;

/// How many jobs may wait before callers wait to hand theirs in.
const WAITING: usize = 1024;
/// The most jobs in one transaction: bounds how long the first of them waits.
const MAX_BATCH: usize = 128;

/// Something for the writer to write.
pub(crate) enum Job {
    Commit(Box<Change>, Reply<Committed>),
    Side(Box<Side>, Reply<()>),
}

/// What is to be told to whoever handed a job in, once it is durable.
pub(crate) enum Outcome {
    Committed(Answer<Committed>),
    Written,
}

enum Message {
    Job(Job),
    Close(Reply<()>),
}

/// The callers' end of the queue.
#[derive(Clone)]
pub(crate) struct Jobs(mpsc::Sender<Message>);

/// The writer's end of the queue.
pub(crate) struct Queue {
    messages: mpsc::Receiver<Message>,
    /// Who asked the writer to go, once it has written what came before.
    closing: Option<Reply<()>>,
}

/// What the writer finds when it looks.
enum Next {
    Batch(Vec<Job>),
    /// Nothing comes any more; somebody may wait to hear that the writer has gone.
    Close(Option<Reply<()>>),
}

/// What commits batches: all of one, or nothing of it.
pub(crate) trait Transactions: Send + 'static {
    /// Writes a batch in one transaction. `Unavailable` where it is not known to be committed, any
    /// other error where the batch holds something that cannot be written.
    fn attempt(&mut self, jobs: &mut [Job]) -> impl Future<Output = Answer<Vec<Outcome>>> + Send;

    /// Leaves the database.
    fn close(self) -> impl Future<Output = Answer<()>> + Send;
}

/// A queue with both its ends.
pub(crate) fn queue() -> (Jobs, Queue) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Jobs(sender), Queue { messages: receiver, closing: None })
}

impl Jobs {
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) async fn commit(&self, change: Change) -> Answer<Committed> {
        self.send(|reply| Message::Job(Job::Commit(Box::new(change), reply))).await
    }

    pub(crate) async fn side(&self, side: Side) -> Answer<()> {
        self.send(|reply| Message::Job(Job::Side(Box::new(side), reply))).await
    }

    /// Ends the writer after everything that waits.
    pub(crate) async fn close(&self) {
        // A writer that is gone already is closed.
        let _closed: Answer<()> = self.send(Message::Close).await;
    }

    async fn send<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Answer<T> {
        let stopped = || StoreError::Unavailable("the writer has stopped".into());
        let lost = || StoreError::Unavailable("nothing is known to be committed".into());
        let (reply, answer) = oneshot::channel();
        self.0.send(message(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| lost())?
    }
}

impl Queue {
    /// Has everything written that is handed in, until somebody asks the writer to go or nobody is
    /// left. Where a batch cannot be written as a whole, each of its jobs is written alone.
    pub(crate) async fn serve(mut self, mut writer: impl Transactions) {
        loop {
            match self.next().await {
                Next::Batch(jobs) => write(&mut writer, jobs).await,
                Next::Close(reply) => {
                    let closed = writer.close().await;
                    // Nobody waits for the answer when the process is going down anyway.
                    drop(reply.map(|reply| reply.send(closed)));
                    return;
                }
            }
        }
    }

    /// Waits for a job, and takes as many as wait with it.
    async fn next(&mut self) -> Next {
        let mut batch = Vec::new();
        let mut message = match self.closing.take() {
            Some(reply) => Some(Message::Close(reply)),
            None => self.messages.recv().await,
        };
        while let Some(Message::Job(job)) = message {
            batch.push(job);
            message = match batch.len() {
                MAX_BATCH => None,
                _ => self.messages.try_recv().ok(),
            };
        }
        let closing = match message {
            Some(Message::Close(reply)) => Some(reply),
            _ => None,
        };
        if batch.is_empty() {
            self.messages.close();
            return Next::Close(closing);
        }
        self.closing = closing;
        Next::Batch(batch)
    }
}

async fn write(writer: &mut impl Transactions, jobs: Vec<Job>) {
    let mut waiting = VecDeque::from([jobs]);
    while let Some(mut jobs) = waiting.pop_front() {
        match writer.attempt(&mut jobs).await {
            Ok(outcomes) => {
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    job.answer(outcome);
                }
            }
            // Callers see their answer dropped: unavailable, nothing is known to be written.
            Err(StoreError::Unavailable(error)) => {
                tracing::error!(error = &*error as &dyn std::error::Error, "a transaction failed");
            }
            Err(error) => match <[Job; 1]>::try_from(jobs) {
                Ok([job]) => job.refuse(error),
                Err(jobs) => waiting.extend(jobs.into_iter().map(|job| vec![job])),
            },
        }
    }
}

impl Job {
    /// Answers. A caller that has gone away finds the outcome by reading.
    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Commit(_, reply), Outcome::Committed(answer)) => drop(reply.send(answer)),
            (Self::Side(_, reply), Outcome::Written) => drop(reply.send(Ok(()))),
            // An answer to something else is none: the caller is told that nothing is known.
            (Self::Commit(..), Outcome::Written) | (Self::Side(..), Outcome::Committed(_)) => {}
        }
    }

    /// Answers that it was not written, and why.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit(_, reply) => drop(reply.send(Err(error))),
            Self::Side(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// What has to be looked up for the changes among these jobs.
pub(crate) fn wanted(jobs: &[Job]) -> Wanted {
    let mut wanted = Wanted::default();
    for job in jobs {
        if let Job::Commit(change, _) = job {
            wanted.add(change);
        }
    }
    wanted
}
