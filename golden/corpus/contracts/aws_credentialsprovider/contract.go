package awscredentialsprovider

import "github.com/aws/aws-sdk-go-v2/aws"

type CredentialsProvider = aws.CredentialsProvider
